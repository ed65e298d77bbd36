"""``veilleuse export``: nights, heating, energy and readings out of the daemon's own file, in open formats."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.exits import DONE, WRONG
from controller.cli.targets import leading_site, loaded, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.site import Site
    from controller.cli.export.nights import SealedNight
    from controller.store.reading import Reading

EXAMPLE = """\b
Example:
  veilleuse export proofs --html nuit.html
  veilleuse export ./town proofs --from 2026-11-01 --to 2026-11-30 --csv > november.csv
  veilleuse export energy --group centre-ville > energy.csv
  veilleuse export heat-months --of ecole-jaures --from 2026-01-01 > months.csv
  veilleuse export savings --of ecole-jaures --from 2026-10-01
  veilleuse export readings --json | jq '.[] | select(.entity == "lamp/l-003")'
"""
HEAT_KINDS = ("heat-hours", "heat-months", "degree-days", "savings", "iso52120", "operat", "hot-water-log")
_SPAN = ("--from", "--to")
_TAKES: dict[str, tuple[str, ...]] = {
    "proofs": ("--night", *_SPAN, "--group", "--html", "--lang"),
    "energy": ("--night", *_SPAN, "--group"),
    "readings": (),
    "heat-hours": (*_SPAN, "--of"),
    "heat-months": (*_SPAN, "--of"),
    "degree-days": (*_SPAN, "--of", "--by"),
    "savings": (*_SPAN, "--of", "--by", "--energy", "--baseline", "--events"),
    "iso52120": ("--of",),
    "operat": (*_SPAN, "--of"),
    "hot-water-log": (*_SPAN, "--of"),
}
"""Which options each export takes beside --json, --csv and --state."""
_ENERGIES = ("electricity", "gas", "heat", "oil", "wood")
_EVER = ("0001-01-01", "9999-12-31")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DATE = click.DateTime(["%Y-%m-%d"])


@click.command(epilog=EXAMPLE)
@leading_site
@click.argument("what", type=click.Choice(list(_TAKES)))
@click.option("--night", type=_DATE, metavar="DATE", help="The night that begins in the evening of DATE.")
@click.option("--from", "first", type=_DATE, metavar="DATE", help="From this night on.")
@click.option("--to", "last", type=_DATE, metavar="DATE", help="Up to this night.")
@click.option("--of", metavar="TARGET", help="Heating: this zone or building only.")
@click.option("--by", type=click.Choice(["month", "day"]), help="degree-days, savings: by the month (default) or day.")
@click.option("--energy", "source", type=click.Choice(_ENERGIES), help="savings: which (default: what heats).")
@click.option("--baseline", nargs=2, type=_DATE, metavar="FROM TO", help="savings: the days before the change.")
@click.option(
    "--events", type=_FILE, metavar="FILE", help="savings: CSV date,building,note of what no weather explains."
)
@click.option("--group", metavar="GROUP", help="This group only; energy: with its lamps.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV (energy and readings: what they are anyway).")
@click.option("--html", "html_file", metavar="FILE", help="Write the proofs as one printable page.")
@click.option("--lang", type=click.Choice(["en", "fr"]), help="Language of the page (default: the country's).")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="Directory of the daemon's file (default: VEILLEUSE_STATE, STATE_DIRECTORY, /var/lib/veilleuse).",
)
def command(
    site: Path,
    what: str,
    night: datetime | None,
    first: datetime | None,
    last: datetime | None,
    of: str | None,
    by: str | None,
    source: str | None,
    baseline: tuple[datetime, datetime] | None,
    events: Path | None,
    group: str | None,
    as_json: bool,
    as_csv: bool,
    html_file: str | None,
    lang: str | None,
    state: Path | None,
) -> None:
    """What the daemon of SITE has kept: proofs of nights, energy, hours and months of heating, readings that wait.

    The file is opened for reading only; a daemon may run beside. Without dates: proofs of the latest night, the others
    all. Exit code 1 where there is nothing, or where a proof is not what was sealed.
    """
    from contextlib import closing

    from config.settings import state_directory
    from controller.store.reading import NoStore, Reading

    _check(what, night, first or last, as_json, as_csv, html_file, lang)
    _only_what_it_takes(click.get_current_context(), what)
    town = loaded(site)
    form = "json" if as_json else "csv" if as_csv else ""
    try:
        path = (state or state_directory()) / f"{town.id}.sqlite"
        if what in HEAT_KINDS:
            from controller.cli.export.heat_kinds import tell

            tell(town, path, what, form, (first, last), (of, by or "month", source), baseline, events)
            return
        with closing(Reading(path)) as file:
            if what == "readings":
                _readings(file, as_json)
                return
            span = _span(file, what, night, first, last)
            if what == "energy":
                _energy(town, file, span, group, as_json)
            else:
                _proofs(town, file, span, group, form, html_file, lang)
    except NoStore as error:
        raise click.ClickException(str(error)) from error


def _check(
    what: str, night: object, span: object, as_json: bool, as_csv: bool, html_file: str | None, lang: str | None
) -> None:
    """Raises UsageError for options that say nothing, or two things."""
    if night is not None and span is not None:
        raise click.UsageError("--night is one night; --from and --to are many")
    if what == "proofs" and lang is not None and html_file is None:
        raise click.UsageError("--lang is the language of the page: it goes with --html")
    if as_json and as_csv:
        raise click.UsageError("--json or --csv, not both")


def _only_what_it_takes(context: click.Context, what: str) -> None:
    """Raises UsageError for an option that this export would not heed."""
    every = {option for options in _TAKES.values() for option in options}
    for parameter in context.command.params:
        name = parameter.opts[0]
        if name in every and name not in _TAKES[what] and context.params[parameter.name or ""] is not None:
            takes = " and ".join(filter(None, (", ".join(_TAKES[what]), "--json, --csv, --state")))
            raise click.UsageError(f"{name} does not go with {what}, which takes {takes}")


def _span(
    file: Reading, what: str, night: datetime | None, first: datetime | None, last: datetime | None
) -> tuple[str, str]:
    """The first and the last date that were asked for."""
    if night is not None:
        return night.date().isoformat(), night.date().isoformat()
    if first is None and last is None and what == "proofs":
        newest = file.newest_night()
        if newest is None:
            raise click.ClickException("no night has been closed yet: the first is, at the noon after the first start")
        return newest, newest
    return (
        _EVER[0] if first is None else first.date().isoformat(),
        _EVER[1] if last is None else last.date().isoformat(),
    )


def _known(town: Site, group: str) -> None:
    """A group that is no more may have proofs; one that never was has a name nearby."""
    from controller.cli.targets import unknown

    if group not in town.groups:
        raise unknown(group, [f"group/{each}" for each in town.groups])


def _proofs(
    town: Site,
    file: Reading,
    span: tuple[str, str],
    group: str | None,
    form: str,
    html_file: str | None,
    lang: str | None,
) -> None:
    from controller.cli.export import tables
    from controller.cli.export.nights import nights_of

    nights = nights_of(file, *span, group)
    if not any(night.proofs for night in nights):
        if group is not None:
            _known(town, group)
        raise click.ClickException(f"no proof from {span[0]} to {span[1]}{f' of {group}' if group else ''}")
    if html_file is not None:
        _write_page(town, nights, html_file, lang)
    if form == "json":
        click.echo(json.dumps([night.facts for night in nights], indent=2, ensure_ascii=False))
    elif form == "csv":
        click.echo(tables.proofs(nights), nl=False)
    elif html_file is None:
        click.echo("\n".join(printable(line) for line in tables.lines(nights)))
    sys.exit(DONE if all(night.is_intact for night in nights) else WRONG)


def _write_page(town: Site, nights: Sequence[SealedNight], name: str, lang: str | None) -> None:
    from controller.cli.export.page import page
    from controller.cli.export.words import words_of

    text = page(nights, words_of(lang or ("fr" if town.country == "FR" else "en")))
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{name} cannot be written: {error.strerror or error}") from error
    click.echo(f"{name}: {len(nights)} {'night' if len(nights) == 1 else 'nights'}", err=True)


def _energy(town: Site, file: Reading, span: tuple[str, str], group: str | None, as_json: bool) -> None:
    from controller.cli.export import tables

    wanted = None
    if group is not None:
        _known(town, group)
        wanted = {f"group/{group}", *(f"lamp/{lamp}" for lamp in town.groups[group].lamps)}
    rows = list(tables.energy_rows(file.records("accounts", *span), wanted))
    if not rows:
        raise click.ClickException(f"no accounts from {span[0]} to {span[1]}")
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        click.echo(tables.csv_text(tables.ENERGY, rows), nl=False)


def _readings(file: Reading, as_json: bool) -> None:
    from controller.cli.export import tables

    if as_json:
        click.echo(json.dumps(list(file.samples()), indent=2, ensure_ascii=False))
        return
    for block in tables.reading_blocks(file.samples()):
        click.echo(block, nl=False)
