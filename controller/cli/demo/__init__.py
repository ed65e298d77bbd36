"""``veilleuse demo``: a simulated town, a broker and the daemon, as the very processes that a town would run."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

from controller.cli.exits import OurFault

EVENING = datetime(2026, 1, 12, 12, tzinfo=ZoneInfo("Europe/Paris"))
"""Noon of a Monday in January: a school day follows, and the night is long."""
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no duration, e.g. 90s or 5m") from error
    if seconds <= 0:
        raise click.BadParameter("must be more than nothing")
    return seconds


@click.command("demo", epilog="Example: veilleuse demo --speed 1200")
@click.option(
    "--speed",
    type=click.FloatRange(1, 3600),
    default=600.0,
    show_default=True,
    help="Seconds of the town in one of yours.",
)
@click.option(
    "--for",
    "for_s",
    callback=_seconds,
    metavar="DURATION",
    help="End after this long of your time (default: at the town's next noon).",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the broker on 127.0.0.1 (default: 1883, or a free one)."
)
def command(speed: float, for_s: float | None, port: int | None) -> None:
    """One night in a simulated town: lamps on Modbus, a school and a gym on BACnet, everything on 127.0.0.1.

    Starts a broker (mosquitto if it is on the PATH, else an embedded one), 'veilleuse sim' and 'veilleuse run', shows
    what the daemon reports over MQTT, and ends with what the night cost and saved. Ctrl-C ends it earlier the same way.
    """
    import asyncio

    from controller.cli.demo.play import Play
    from controller.cli.demo.processes import NoBroker
    from controller.cli.demo.stage import Occupied, set_stage

    try:
        with set_stage(EVENING, speed, port) as stage:
            until = EVENING + timedelta(days=1) if for_s is None else None
            asyncio.run(Play(stage, sys.stdout.isatty()).run(until, for_s))
    except (Occupied, NoBroker) as error:
        raise click.ClickException(str(error)) from error
    except ChildProcessError as error:
        raise OurFault(str(error)) from error
