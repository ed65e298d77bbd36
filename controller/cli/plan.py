"""``veilleuse plan``: the timetable of what will be commanded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from controller.cli.exits import site_argument
from controller.cli.targets import loaded, unknown, within_reach

if TYPE_CHECKING:
    from config.site import Site
    from controller.core.timetable import Entry

EXAMPLE = """\b
Example:
  veilleuse plan /etc/veilleuse --of centre-ville
  veilleuse plan . --on 2026-12-24 --days 2 --json | jq '.[] | select(.level == 0)'
  veilleuse plan . --on 2026-11-01 --days 30 --csv november.csv
  veilleuse plan . --on 2027-01-01 --svg year.svg
"""
COLUMNS = ("target", "from", "to", "level", "setpoint_c", "allure", "reason")


@click.command(epilog=EXAMPLE)
@site_argument
@click.option(
    "--on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Begin at noon of this date (default: today, by the site's clock; with --svg 1 January of this year).",
)
@click.option(
    "--days", type=click.IntRange(1, 400), help="How many times noon to noon (default: 1; with --svg a whole year)."
)
@click.option("--of", "target", metavar="TARGET", help="One group, segment or zone; a lamp stands for its group.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object a stretch.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write one line a stretch to FILE ('-': to the terminal).")
@click.option("--svg", "svg_file", metavar="FILE", help="Draw the year to FILE, a night a row ('-': to the terminal).")
def command(
    site: Path,
    day: datetime | None,
    days: int | None,
    target: str | None,
    as_json: bool,
    csv_file: str | None,
    svg_file: str | None,
) -> None:
    """What will be commanded: a timetable of every group, segment and zone of SITE.

    A night runs from noon to noon, and zones are shown for the same hours. Overrides and readings are not part of
    it: a zone's optimum start is that of a room which has fallen to its setpoint.
    """
    from schedules.moments import noon

    if [as_json, csv_file == "-", svg_file == "-"].count(True) > 1:
        raise click.UsageError("only one of --json, --csv - and --svg - can go to the terminal")
    town = loaded(site)
    zone = town.place.zone
    if day is not None:
        within_reach(day.replace(tzinfo=zone))
    first, count = _window(town, day, days, whole_year=svg_file is not None)
    noons = [noon(first + timedelta(days=number), zone) for number in range(count + 1)]
    names = _names(town, target)
    if svg_file is not None:
        _write_svg(svg_file, town, names, first, count)
    if csv_file is not None:
        _write_csv(csv_file, _rows(town, names, noons))
    if as_json:
        click.echo(json.dumps(_rows(town, names, noons), indent=2, ensure_ascii=False))
    elif csv_file is None and svg_file is None:
        _print_blocks(town, names, noons)


def _window(town: Site, day: datetime | None, days: int | None, *, whole_year: bool) -> tuple[date, int]:
    """The first night and how many: today's, or those of the calendar year, or a year from the given date on."""
    today = datetime.now(UTC).astimezone(town.place.zone).date()
    if not whole_year:
        return (day.date() if day else today), days or 1
    first = day.date() if day else date(today.year, 1, 1)
    leap_day = (first.month, first.day) == (2, 29)
    again = date(first.year + 1, 3, 1) if leap_day else first.replace(year=first.year + 1)
    return first, days or (again - first).days


def _names(town: Site, target: str | None) -> list[str]:
    from controller.core.timetable import matching, targets_of

    names = targets_of(town) if target is None else matching(town, target)
    if target is not None and not names:
        raise unknown(target, [*targets_of(town), *(f"lamp/{lamp}" for lamp in town.lamps)])
    return names


def _rows(town: Site, names: Sequence[str], noons: Sequence[datetime]) -> list[dict[str, object]]:
    from controller.core.timetable import timetable
    from controller.core.wiring import Wiring

    return [_row(entry, town.place.zone) for entry in timetable(Wiring(town), noons[0], noons[-1], names)]


def _row(entry: Entry, zone: ZoneInfo) -> dict[str, object]:
    """A stretch as the contract has it: ``level`` for lighting, ``setpoint_c`` and ``allure`` for zones."""
    if entry.level is not None:
        demand: dict[str, object] = {"level": entry.level}
    else:
        demand = {"setpoint_c": entry.setpoint_c, "allure": entry.allure}
    start, end = (at.astimezone(zone).isoformat(timespec="seconds") for at in (entry.start, entry.end))
    return {"target": entry.target, "from": start, "to": end, **demand, "reason": entry.reason}


def _write_csv(name: str, rows: Sequence[dict[str, object]]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    _write(name, text.getvalue(), f"{len(rows)} lines")


def _write_svg(name: str, town: Site, names: Sequence[str], first: date, count: int) -> None:
    from controller.cli.year.picture import picture

    _write(name, picture(town, names, first, count), f"{count} night{'s' if count > 1 else ''}")


def _write(name: str, text: str, told: str) -> None:
    if name == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{name} cannot be written: {error.strerror or error}") from error
    click.echo(f"{name}: {told}", err=True)


def _print_blocks(town: Site, names: Sequence[str], noons: Sequence[datetime]) -> None:
    from controller.cli.blocks import block_of
    from controller.core.wiring import Wiring

    wiring = Wiring(town)
    first, last = (at.astimezone(town.place.zone) for at in (noons[0], noons[-1]))
    click.echo(f"{town.name}, {first:%a %Y-%m-%d %H:%M} to {last:%a %Y-%m-%d %H:%M} ({town.place.zone})")
    for name in names:
        click.echo()
        click.echo("\n".join(block_of(wiring, name, noons)))
