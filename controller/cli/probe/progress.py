"""Finds as they come, and on a terminal how far a long look has got; a pipe gets the finds alone."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from controller.cli.targets import printable

if TYPE_CHECKING:
    from rich.progress import Progress

_WORTH_A_BAR = 3


class Teller:
    """``quiet`` says nothing at all: the facts come as JSON in the end."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.done()

    def say(self, lines: Iterable[str]) -> None:
        """Print ``lines`` now; what a device says of itself cannot command the terminal."""
        if self._quiet:
            return
        for line in map(printable, lines):
            if self._bar is None:
                click.echo(line)
            else:
                self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        sys.stdout.flush()

    def at(self, done: int, of: int, what: str) -> None:
        """``done`` of ``of`` steps are behind us, ``what`` is next."""
        if self._quiet or not sys.stdout.isatty() or of < _WORTH_A_BAR:
            return
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
            self._bar.add_task("", total=of)
        self._bar.update(self._bar.task_ids[0], completed=done, total=of, description=what)

    def done(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(), transient=True)
