"""Which of the exports of the heating was asked for, and in what form."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import click

from config.site import Site
from controller.cli.export import heat, heat_class, heat_savings
from controller.cli.export.heat_rows import Asked, Evidence
from controller.cli.export.tables import csv_text
from controller.cli.targets import printable
from controller.store.reading import Reading

_TABLES: dict[str, Callable[[Evidence, Asked], Iterable[heat.Row]]] = {
    "heat-hours": heat.hours,
    "heat-months": heat.months,
    "degree-days": heat.degree_days,
    "operat": heat.operat,
    "hot-water-log": heat.hot_water,
}


def tell(
    town: Site,
    path: Path,
    what: str,
    form: str,
    span: tuple[datetime | None, datetime | None],
    choice: tuple[str | None, str, str | None],
    baseline: tuple[datetime, datetime] | None,
    events: Path | None,
) -> None:
    """Print it. Raises NoStore, and ClickException where there is nothing."""
    first, last = (None if each is None else each.date() for each in span)
    before = None if baseline is None else (baseline[0].date(), baseline[1].date())
    asked = Asked(first, last, *choice, before, events)
    if not town.buildings:
        raise click.ClickException("the site has no buildings")
    if what == "iso52120":
        _classes(town, asked, form)
        return
    with closing(Reading(path)) as file:
        evidence = Evidence(town, file)
        if what == "savings":
            _savings(evidence, asked, form)
        else:
            _table(list(_TABLES[what](evidence, asked)), form)


def _table(rows: Sequence[heat.Row], form: str) -> None:
    if not rows:
        raise click.ClickException(
            "nothing was kept of that: hours come with the first full hour of a daemon, hot water by the day"
        )
    if form == "json":
        known = [{name: value for name, value in row.items() if value is not None} for row in rows]
        click.echo(json.dumps(known, indent=2, ensure_ascii=False))
    else:
        click.echo(csv_text(heat.columns(rows), rows), nl=False)


def _savings(evidence: Evidence, asked: Asked, form: str) -> None:
    reports = heat_savings.savings_of(evidence, asked)
    if form == "json":
        click.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    elif form == "csv":
        flat = [{name: value for name, value in each.items() if name != "baseline"} for each in reports]
        click.echo(csv_text(heat.columns(flat), flat), nl=False)
    else:
        click.echo("\n".join(printable(line) for each in reports for line in heat_savings.lines(each)))


def _classes(town: Site, asked: Asked, form: str) -> None:
    buildings = [each for each in town.buildings.values() if asked.of in (None, each.id, f"building/{each.id}")]
    if not buildings:
        raise click.ClickException(f"no such building: {asked.of!r}")
    found = heat_class.assessments(town, buildings)
    if form == "json":
        click.echo(json.dumps([heat_class.facts(each) for each in found], indent=2, ensure_ascii=False))
    elif form == "csv":
        rows = [row for each in found for row in heat_class.rows(each)]
        click.echo(csv_text(heat_class.COLUMNS, rows), nl=False)
    else:
        click.echo("\n".join(printable(line) for each in found for line in heat_class.lines(each)))
