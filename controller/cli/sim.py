"""``veilleuse sim``: simulated devices on the real wire, and the client of a running simulator's control channel."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time
from datetime import datetime
from pathlib import Path

import click

from controller.cli.exits import DONE, WRONG, site_argument

EXAMPLE = """
Example:

\b
  veilleuse sim ./town --speed 60 --start 2026-12-21T15:30+01:00 --control 5999
  veilleuse sim --control 5999 --send "fault cab-mairie silence for 10m"
  veilleuse sim --control 5999 --send list
"""
ANSWER_WITHIN_S = 5.0


def instant(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """An aware instant; a time without an offset would mean another one on another machine."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a time like 2026-12-21T15:30+01:00") from error
    if at.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no offset from UTC, e.g. +01:00 or Z")
    return at


@click.command(epilog=EXAMPLE)
@site_argument
@click.option("--start", callback=instant, metavar="TIME", help="the town's time at the start (default: now)")
@click.option("--speed", type=click.FloatRange(0.01, 100_000), default=1.0, help="seconds of the town in one of ours")
@click.option(
    "--anchor", type=float, metavar="UNIX", help="wall clock at which the town's time is --start (default: now)"
)
@click.option("--control", type=click.IntRange(0, 65535), metavar="PORT", help="control channel on 127.0.0.1; 0: any")
@click.option("--seed", type=int, default=1, show_default=True, help="another town: weather, lamps, rooms")
@click.option(
    "--fault", "faults", multiple=True, metavar="LINE", help="broken from the start, e.g. 'cab-mairie silence'"
)
@click.option(
    "--send", metavar="LINE", help="send one line to a running simulator's --control port and print its answer"
)
@click.pass_context
def command(
    context: click.Context,
    site: Path,
    start: datetime | None,
    speed: float,
    anchor: float | None,
    control: int | None,
    seed: int,
    faults: tuple[str, ...],
    send: str | None,
) -> None:
    """Simulated devices at the addresses that SITE declares, on the real wire; faults by command."""
    if send is not None:
        if not control:
            raise click.UsageError("--send needs the --control PORT of the running simulator")
        context.exit(_send(send, control))
    if start is None and (speed != 1.0 or anchor is not None):
        raise click.UsageError("--speed and --anchor need --start")
    context.exit(_serve(site, start, speed, anchor, control, seed, faults))


def _serve(
    directory: Path,
    start: datetime | None,
    speed: float,
    anchor: float | None,
    control: int | None,
    seed: int,
    faults: tuple[str, ...],
) -> int:
    from config.load import SiteError, load_site
    from controller.clock import Clock
    from sim.run import CannotStart, run_town

    try:
        site = load_site(directory)
    except SiteError as error:
        click.echo(str(error), err=True)
        return WRONG
    clock = Clock(start, speed, time.time() if anchor is None else anchor)

    async def serve() -> None:
        task = asyncio.ensure_future(
            run_town(site, now=clock.now, speed=speed, control_port=control, seed=seed, faults=faults, say=_say)
        )
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(serve())
    except CannotStart as error:
        click.echo(f"veilleuse sim: {error}", err=True)
        return WRONG
    return DONE


def _say(line: str) -> None:
    click.echo(line)


def _send(line: str, port: int) -> int:
    try:
        with socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_S) as connection:
            connection.sendall(" ".join(line.split()).encode() + b"\n")
            with connection.makefile("rb") as stream:
                answer = stream.readline()
    except OSError as error:
        click.echo(f"veilleuse sim: no simulator at 127.0.0.1:{port}: {error}", err=True)
        return WRONG
    if not answer:
        click.echo(f"veilleuse sim: 127.0.0.1:{port} hung up without an answer", err=True)
        return WRONG
    click.echo(answer.decode().rstrip())
    return DONE if json.loads(answer)["ok"] else WRONG
