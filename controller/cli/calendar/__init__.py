"""``veilleuse calendar``: the dated days of a site from what others publish."""

from __future__ import annotations

import importlib

import click

ACTIONS = {"import": "meetings, school holidays, public holidays, school hours from a file"}


class LazyActions(click.Group):
    """The actions are modules of this package, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ACTIONS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in ACTIONS:
            return None
        command = importlib.import_module("controller.cli.calendar.importing").command
        assert isinstance(command, click.Command)  # noqa: S101 - our own module
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Actions"):
            formatter.write_dl(list(ACTIONS.items()))


EXAMPLE = """\b
Example:
  veilleuse calendar import meetings agenda.ics --to calendars/reunions.csv
  veilleuse calendar import public-holidays FR-57 --to calendars/feries.csv --write
"""


@click.group(cls=LazyActions, epilog=EXAMPLE)
def command() -> None:
    """Calendars and dated exceptions: bring them up to date from files that others publish."""
