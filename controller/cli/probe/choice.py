"""From the words and options of the command line to one look that can be run; whatever makes no sense is said first."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from controller.cli.probe.fragment import refuse_existing
from controller.cli.probe.registers import Form
from controller.cli.probe.target import Line, Named, Network, Server, Station, Target, numbers, own_address, target
from drivers.modbus.ends import End, Pace, SerialEnd, TcpEnd, Tls
from drivers.modbus.peek import span
from drivers.profile import Profile

LAST_UNIT = 247
_DEFAULT_SITE = "/etc/veilleuse"
_TLS_PORT = 802
_LINE_ONLY = ("baud", "parity", "stop")
_MODBUS_ONLY = (*_LINE_ONLY, "units", "try_speeds", "rtu", "ca", "cert", "key", "peek", "bits", "wide")
_BACNET_ONLY = ("own", "instances", "objects")
_MODBUS_S, _BACNET_S = 0.5, 1.0

LookOnce = Callable[[], int]
"""Asks, tells and saves; gives the exit code."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options as click has checked them one by one."""

    units: str | None
    baud: int | None
    parity: str | None
    stop: str | None
    try_speeds: bool
    rtu: bool
    ca: Path | None
    cert: Path | None
    key: Path | None
    peek: tuple[str, ...]
    bits: bool
    wide: bool
    own: str | None
    instances: str | None
    objects: bool
    ede: Path | None
    device: int | None
    timeout_s: float | None
    save: Path | None
    as_json: bool


def chosen(words: Sequence[str], options: Options) -> LookOnce:
    """What to do. Raises ValueError on wrong usage, ClickException where FILE stands there already."""
    refuse_existing(options.save)
    if options.ede is not None:
        from controller.cli.probe.listed import draft_from_ede

        if words:
            raise ValueError("--ede reads a file: no TARGET beside it")
        _refuse((*_MODBUS_ONLY, *_BACNET_ONLY, "timeout_s", "as_json"), options, "beside --ede")
        return partial(draft_from_ede, options.ede, options.device, options.save)
    if options.device is not None:
        raise ValueError("--device says which device of an --ede file")
    if not 1 <= len(words) <= 2:
        raise ValueError(f"{len(words)} words where TARGET, or SITE and TARGET, may stand")
    directory = Path(words[0]) if len(words) == 2 else None
    goal = target(words[-1])
    _no_strangers(goal, options)
    if isinstance(goal, Server | Line):
        return _modbus(goal, words[-1], directory, options)
    if isinstance(goal, Network | Station):
        if directory is not None:
            raise ValueError(f"{directory} says nothing of {words[-1]}: a device of the site is named by its id")
        return _bacnet(goal, words[-1], options)
    return _site(goal, directory, options)


def _modbus(goal: Server | Line, text: str, directory: Path | None, options: Options) -> LookOnce:
    from controller.cli.probe.endpoint import Wish, probe_endpoint

    if options.try_speeds and not isinstance(goal, Line):
        raise ValueError("--try-speeds is for a serial line")
    if options.try_speeds and (options.baud or options.parity):
        raise ValueError("--try-speeds tries all speeds and parities: no --baud or --parity beside it")
    if (options.bits or options.wide) and not options.peek:
        raise ValueError("--bits and --wide go with --peek")
    lowest = 1 if isinstance(goal, Line) or options.rtu else 0
    wish = Wish(
        text=text,
        end=_end(goal, text, options),
        units=numbers(options.units or "1-16", lowest, LAST_UNIT),
        timeout_s=options.timeout_s or _MODBUS_S,
        spans=[span(each) for each in options.peek],
        form=Form(options.bits, options.wide),
        try_speeds=options.try_speeds,
        save=options.save,
        as_json=options.as_json,
    )
    return lambda: probe_endpoint(wish, list(profiles_of(directory).values()))


def _bacnet(goal: Network | Station, text: str, options: Options) -> LookOnce:
    from controller.cli.probe.network import Wish, probe_network, probe_station

    if options.own is not None and isinstance(goal, Network):
        raise ValueError("the target is our own address already: --own goes with bacnet://ADDRESS")
    if options.objects and isinstance(goal, Station):
        raise ValueError("--objects goes with a network; one device shows its objects anyway")
    low, high = _instances(options.instances)
    wish = Wish(
        text=text,
        own=goal.own if isinstance(goal, Network) else options.own and own_address(options.own),
        low=low,
        high=high,
        objects=options.objects,
        timeout_s=options.timeout_s or _BACNET_S,
        save=options.save,
        as_json=options.as_json,
    )
    if isinstance(goal, Station):
        return lambda: probe_station(wish, goal.address)
    return lambda: probe_network(wish)


def _site(goal: Named, directory: Path | None, options: Options) -> LookOnce:
    if options.save is not None:
        raise ValueError("a device of a site is written in its files already: --save goes with an address")
    from controller.cli.probe.wiring import probe_site

    where = directory or Path(os.environ.get("VEILLEUSE_SITE") or _DEFAULT_SITE)
    return partial(probe_site, where, goal.id, options.timeout_s, as_json=options.as_json)


def _no_strangers(goal: Target, options: Options) -> None:
    """An option that does nothing here would be taken for one that did."""
    foreign: Mapping[type, tuple[str, ...]] = {
        Server: _BACNET_ONLY if options.rtu else (*_BACNET_ONLY, *_LINE_ONLY),
        Line: (*_BACNET_ONLY, "rtu", "ca", "cert", "key"),
        Network: _MODBUS_ONLY,
        Station: (*_MODBUS_ONLY, "instances"),
        Named: (*_MODBUS_ONLY, *_BACNET_ONLY),
    }
    _refuse(foreign[type(goal)], options, "for this target")


def _refuse(foreign: Sequence[str], options: Options, where: str) -> None:
    for name in foreign:
        if getattr(options, name):
            word = {"timeout_s": "timeout", "as_json": "json"}.get(name, name.replace("_", "-"))
            raise ValueError(f"--{word} means nothing {where}")


def _pace(options: Options) -> Pace:
    return Pace(options.baud or 9600, options.parity or "E", int(options.stop or 1))


def _end(goal: Server | Line, text: str, options: Options) -> End:
    if isinstance(goal, Line):
        pace = _pace(options)
        return SerialEnd(goal.path, pace.baudrate, pace.parity, pace.stopbits)
    if options.ca is None:
        if options.cert or options.key:
            raise ValueError("--cert and --key go with --ca")
        return TcpEnd(goal.host, goal.port, _pace(options) if options.rtu else None)
    if options.rtu:
        raise ValueError("--rtu and --ca do not go together")
    said = text.rpartition(":")[2].isdigit()
    return TcpEnd(goal.host, goal.port if said else _TLS_PORT, tls=Tls(options.ca, options.cert, options.key))


def _instances(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 4_194_302
    low, dash, high = text.partition("-")
    high = high if dash else low
    if not (low.isdecimal() and high.isdecimal()) or not int(low) <= int(high) <= 4_194_302:
        raise ValueError(f"--instances: {text!r} is not like 1000-1999")
    return int(low), int(high)


def profiles_of(directory: Path | None) -> dict[str, Profile]:
    """The shipped profiles, and those of a site where one is named. Exit code 1 where one of them is wrong."""
    from drivers.profile_file import ProfileError, load_profiles

    try:
        return load_profiles(None if directory is None else directory / "profiles")
    except ProfileError as error:
        raise click.ClickException(str(error)) from error
