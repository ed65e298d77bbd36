"""The options that let a process run on a clock of its own; shared by run, sim and demo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from controller.clock import Clock, starting_now


def clock_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--start``, ``--speed`` and ``--anchor``: what ``clock_of`` takes."""
    for option in (
        click.option("--anchor", type=float, help="Unix time at which --start was shown (default: now)."),
        click.option(
            "--speed",
            type=click.FloatRange(0.1, 3600.0),
            default=1.0,
            show_default=True,
            help="Seconds of the site's clock in a real one; needs --start.",
        ),
        click.option("--start", metavar="TIME", help="Run on a simulated clock from this instant (RFC 3339)."),
    ):
        function = option(function)
    return function


def clock_of(start: str | None, speed: float, anchor: float | None) -> Clock:
    """The clock that the options describe. Raises UsageError."""
    if start is None:
        if speed != 1.0 or anchor is not None:
            raise click.UsageError("--speed and --anchor need --start: the machine's own clock is not for us to change")
        return Clock()
    try:
        at = datetime.fromisoformat(start)
    except ValueError as error:
        raise click.UsageError(f"--start {start!r} is not RFC 3339, e.g. 2026-01-12T12:00:00+01:00") from error
    if at.tzinfo is None:
        raise click.UsageError(f"--start {start!r} needs its offset, e.g. 2026-01-12T12:00:00+01:00")
    return starting_now(at, speed) if anchor is None else Clock(at, speed, anchor)
