"""A look at one Modbus endpoint, a server or a line, from the first unit to the summary."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from controller.cli.exits import DONE, INTERRUPTED, WRONG
from controller.cli.probe.fragment import modbus_fragment, save
from controller.cli.probe.progress import Teller
from controller.cli.probe.registers import Form
from controller.cli.probe.units import Scan, Unit
from drivers.api import DriverError
from drivers.modbus.ends import End, Pace, SerialEnd
from drivers.modbus.peek import Span
from drivers.modbus.reader import Reader
from drivers.profile import Profile

SPEEDS = tuple((baud, parity) for baud in (9600, 19200, 38400, 4800, 2400, 57600, 115200) for parity in ("E", "N", "O"))
"""The usual ones, the most usual first."""

_PLAIN = Form()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of an endpoint; ``text`` is how the target was written."""

    text: str
    end: End
    units: Sequence[int]
    timeout_s: float
    spans: Sequence[Span] = ()
    form: Form = _PLAIN
    try_speeds: bool = False
    save: Path | None = None
    as_json: bool = False


def probe_endpoint(wish: Wish, profiles: Sequence[Profile]) -> int:
    """Ask, tell, save; the exit code. What was found before Ctrl-C is told and saved as well."""
    seen = Seen(wish)
    trouble, interrupted = "", False
    with Teller(quiet=wish.as_json) as teller:
        teller.say([f"{place(wish.end)}, {span_of(wish.units)}"])
        try:
            asyncio.run(seen.look(profiles, teller))
        except DriverError as error:
            trouble = error.cause
        except KeyboardInterrupt:
            interrupted = True
    return _end(seen, trouble, interrupted=interrupted)


class Seen:
    """What was found so far; ``wish`` has the speed at which somebody answered."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.units: list[Unit] = []
        self.asked = 0

    async def look(self, profiles: Sequence[Profile], teller: Teller) -> None:
        """Ask at the speed that was said, or at the usual ones until somebody answers readably."""
        end = self.wish.end
        if not (self.wish.try_speeds and isinstance(end, SerialEnd)):
            await self._look(end, profiles, teller)
            return
        for baudrate, parity in SPEEDS:
            tried = replace(end, baudrate=baudrate, parity=parity)
            teller.say([f"{baudrate} Bd, parity {parity}"])
            await self._look(tried, profiles, teller, until_found=True)
            teller.done()
            if any(unit.readable for unit in self.units):
                self.wish = replace(self.wish, end=tried)
                teller.say([f"answers at {baudrate} Bd, parity {parity}: --baud {baudrate} --parity {parity}"])
                return

    async def _look(self, end: End, profiles: Sequence[Profile], teller: Teller, *, until_found: bool = False) -> None:
        reader = Reader(end, self.wish.timeout_s)
        scan = Scan(reader, profiles, self.wish.spans, self.wish.form, teller)
        self.units = scan.found
        try:
            await scan.walk(self.wish.units, until_found=until_found)
        finally:
            self.asked = scan.asked
            await reader.close()


def place(end: End) -> str:
    """``Modbus TCP 127.0.0.1:502`` or ``Modbus RTU /dev/ttyUSB0 9600 8E1``."""
    if isinstance(end, SerialEnd):
        return f"Modbus RTU {end.path} {end.baudrate} 8{end.parity}{end.stopbits}"
    kind = "over TLS" if end.tls is not None else "RTU over TCP" if end.pace is not None else "TCP"
    return f"Modbus {kind} {end.host}:{end.port}"


def span_of(units: Sequence[int]) -> str:
    """``units 1 to 16``; where numbers are left out, how many they are."""
    if len(units) == 1:
        return f"unit {units[0]}"
    whole = len(units) == units[-1] - units[0] + 1
    return f"units {units[0]} to {units[-1]}" if whole else f"{len(units)} units from {units[0]} to {units[-1]}"


def bus_settings(end: End) -> str:
    """The endpoint as keys of a bus in a site file."""
    if isinstance(end, SerialEnd):
        return f"serial: {_quoted(Path(end.path).absolute())}, {_pace(end.pace)}"
    host = f"[{end.host}]" if ":" in end.host else end.host
    where = f'tcp: "{host}:{end.port}"'
    if end.pace is not None:
        return f"{where}, framing: rtu, {_pace(end.pace)}"
    if end.tls is None:
        return where
    files = {"ca": end.tls.ca, "cert": end.tls.cert, "key": end.tls.key}
    named = (f"{name}: {_quoted(path.absolute())}" for name, path in files.items() if path is not None)
    return f"{where}, tls: {{{', '.join(named)}}}"


def _pace(pace: Pace) -> str:
    stop = "" if pace.stopbits == 1 else f", stopbits: {pace.stopbits}"
    return f"baudrate: {pace.baudrate}, parity: {pace.parity}{stop}"


def _quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)


def _end(seen: Seen, trouble: str, *, interrupted: bool) -> int:
    wish, units = seen.wish, seen.units
    code = INTERRUPTED if interrupted else DONE if units and not trouble else WRONG
    saved = ""
    if wish.save is not None and units:
        saved = save(wish.save, modbus_fragment(wish.text, bus_settings(wish.end), units))
    if wish.as_json:
        facts = {
            "target": wish.text,
            "protocol": "modbus",
            "endpoint": place(wish.end),
            "asked": seen.asked,
            "complete": not (interrupted or trouble),
            "error": trouble or None,
            "units": [unit.facts() for unit in units],
        }
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return code
    if interrupted:
        click.echo(f"stopped after {seen.asked} of {len(wish.units)} units")
    if trouble:
        click.echo(f"Error: {place(wish.end)}: {trouble}", err=True)
    if units or not trouble:
        click.echo(_summary(seen))
    if saved:
        click.echo(saved)
    return code


def _summary(seen: Seen) -> str:
    count = len(seen.units)
    known = sum(unit.profile is not None for unit in seen.units)
    if not count:
        line = isinstance(seen.wish.end, SerialEnd)
        hint = "A and B swapped? another speed (--try-speeds)? " if line else ""
        return f"nobody answers. {hint}Other numbers: --units 1-247"
    asked = "1 unit" if seen.asked == 1 else f"{seen.asked} units"
    looks = f", {known} like a known profile" if known else ""
    return f"{count} of {asked} answer{'s' if count == 1 else ''}{looks}; nothing was written"
