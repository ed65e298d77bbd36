"""``veilleuse rehearse``: the real core against the simulated plant in virtual time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.exits import WRONG, site_argument
from controller.cli.targets import loaded, within_reach

if TYPE_CHECKING:
    from config.site import Site
    from controller.cli.rehearse.shown import Result

EXAMPLE = """\b
Example:
  veilleuse rehearse /etc/veilleuse --from 2027-01-04 --to 2027-01-17
  veilleuse rehearse . --from 2026-11-01 --to 2027-03-31 --csv winter.csv
  veilleuse rehearse . --from 2027-01-04 --to 2027-01-17 --json | jq '.rules[] | select(.held | not)'
"""
STEP_S = 300.0
_LONGEST = timedelta(days=400)
_DATE = click.DateTime(["%Y-%m-%d"])


@click.command(epilog=EXAMPLE)
@site_argument
@click.option("--from", "first", type=_DATE, required=True, metavar="DATE", help="The first day, from midnight on.")
@click.option("--to", "last", type=_DATE, required=True, metavar="DATE", help="The last day.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another weather, other rooms.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write one line a day and zone to FILE ('-': to the terminal).")
def command(site: Path, first: datetime, last: datetime, seed: int, as_json: bool, csv_file: str | None) -> None:
    """The heating of SITE over some days: the daemon's own core against simulated buildings, without waiting.

    A report a day and zone, and rules that are checked: no room below frost, setpoints within the legal caps, rooms
    warm at the opening (95 % of a zone's openings within 0.5 K). Exit code 1 where one is broken. Buildings and
    weather are the simulator's, so that the figures are about the plan, not about your boiler. Lighting is not
    rehearsed yet; `veilleuse plan` shows what it will do.
    """
    if as_json and csv_file == "-":
        raise click.UsageError("only one of --json and --csv - can go to the terminal")
    if last < first:
        raise click.UsageError("--to lies before --from")
    if last - first > _LONGEST:
        raise click.UsageError(f"at most {_LONGEST.days} days")
    town = loaded(site)
    for day in (first, last):
        within_reach(day.replace(tzinfo=town.place.zone))
    result = _rehearsed(town, first, last, seed)
    _show(result, as_json=as_json, csv_file=csv_file)
    if any(not verdict.held for verdict in result.verdicts):
        raise click.exceptions.Exit(WRONG)


def _rehearsed(town: Site, first: datetime, last: datetime, seed: int) -> Result:
    from controller.cli.rehearse.diary import Diary
    from controller.cli.rehearse.rules import Watch
    from controller.cli.rehearse.shown import Result
    from controller.rehearsal import Rehearsal, heating_of
    from sim.plant import SimulatedPlant, simulated_zones

    known = simulated_zones(town)
    left_out = tuple(zone for zone in town.zones if zone not in known)
    heating = heating_of(_only(town, known))
    if not heating.zones:
        raise click.ClickException(
            "nothing to rehearse: no heated zone has a device that the simulator knows; lighting is not rehearsed yet"
        )
    zone = town.place.zone
    start, end = first.replace(tzinfo=zone), (last + timedelta(days=1)).replace(tzinfo=zone)
    plant = SimulatedPlant(heating, seed=seed, start=start)
    rehearsal = Rehearsal(heating, plant, STEP_S)
    diary, watch = Diary(rehearsal, plant.energy_kwh), Watch(rehearsal)
    rehearsal.begin()
    until = end.astimezone(UTC)
    while rehearsal.now < until:
        rehearsal.advance()
        diary.write()
        watch.look()
    return Result(heating, first.date(), last.date(), diary, watch.verdicts(diary), rehearsal, left_out)


def _only(town: Site, zones: frozenset[str]) -> Site:
    """The site without the zones, and the buildings, that the simulator does not know."""
    from dataclasses import replace

    buildings = {
        name: replace(building, zones=kept)
        for name, building in town.buildings.items()
        if (kept := tuple(zone for zone in building.zones if zone in zones))
    }
    return replace(town, buildings=buildings, zones={name: zone for name, zone in town.zones.items() if name in zones})


def _show(result: Result, *, as_json: bool, csv_file: str | None) -> None:
    from controller.cli.rehearse.shown import as_csv, as_facts, as_text

    if csv_file is not None:
        _write(csv_file, as_csv(result))
    if as_json:
        import json

        click.echo(json.dumps(as_facts(result), indent=2, ensure_ascii=False))
    elif csv_file != "-":
        click.echo(as_text(result))


def _write(name: str, text: str) -> None:
    if name == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{name} cannot be written: {error.strerror or error}") from error
    click.echo(f"{name}: {text.count(chr(10)) - 1} lines", err=True)
