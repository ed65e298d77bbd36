"""``veilleuse calendar import``: read, show what would change, and write only when told to."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from controller.cli.calendar.wanted import KINDS, Wanted, checked, columns_of, day, years
from controller.cli.exits import DONE, WRONG

if TYPE_CHECKING:
    from config.imports.sheet import Changes, Line, Sheet
    from config.problems import Findings

EXAMPLE = """\b
Example:
  veilleuse calendar import meetings salle.ics --to calendars/reunions.csv --until 2027-08-31
  veilleuse calendar import meetings export.csv --to calendars/salle.csv --columns start=Début,end=Fin,label=Objet
  veilleuse calendar import school-holidays fr-en-calendrier-scolaire.csv --zone B --to calendars/vacances-zone-b.csv
  veilleuse calendar import public-holidays FR-57 --years 2026-2028 --to calendars/feries.csv --write
  veilleuse calendar import school-hours fr-en-organisation-du-temps-scolaire.csv --uai 0620123A
"""
_AHEAD = timedelta(days=366)
"""How far recurring meetings are followed without --until."""
_LARGEST_BYTES = 200_000_000


@click.command("import", epilog=EXAMPLE)
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("source")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The CSV file.")
@click.option("--from", "first", callback=day, metavar="DATE", help="From this day on; earlier lines of FILE stay.")
@click.option("--until", "last", callback=day, metavar="DATE", help="Up to this day; meetings: a year without it.")
@click.option("--write", is_flag=True, help="Write FILE; without it the difference is only shown.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option("--columns", metavar="NAME=COLUMN,...", help="Meetings: start, end, date, label, place, status, id.")
@click.option("--only", metavar="TEXT", help="Meetings: those whose label or place has TEXT, e.g. the room.")
@click.option("--state", type=click.Choice(["open", "closed"]), help="Meetings: what they do (default: open).")
@click.option("--priority", type=click.IntRange(1, 16), help="Meetings: 1 wins over 16 (default: 8).")
@click.option("--all-day", metavar="HOURS", help="Meetings: hours of those of whole days, else left out: 08:00-18:00.")
@click.option("--timezone", metavar="ZONE", help="Meetings: where they are held (default: Europe/Paris).")
@click.option("--encoding", type=click.Choice(["auto", "utf-8", "cp1252"]), default="auto", show_default=True)
@click.option("--zone", metavar="ZONE", help="School holidays: A, B, C, Corse, Guadeloupe ...")
@click.option("--years", callback=years, metavar="YEAR-YEAR", help="Public holidays: from and to (default: 3 years).")
@click.option("--uai", metavar="UAI", help="School hours: the school's code, e.g. 0620123A.")
@click.option("--school-year", metavar="YEAR-YEAR", help="School hours: not the latest year, but this one.")
def command(**given: Any) -> None:  # noqa: ANN401 - click's own way to give options
    """Bring FILE up to date from SOURCE: show what was added, removed and changed, and with --write do it.

    KIND is meetings (iCalendar, or a booking software's CSV), school-holidays and school-hours (data sets of the French
    ministry of education, as CSV, JSON or iCalendar) or public-holidays, for which SOURCE is a country or region: FR,
    FR-57, FR/Alsace, BE. Otherwise SOURCE is a file, - is stdin; nothing is fetched. What cannot be read is told with
    its line, and nothing is written. Exit code 0 when done or shown, 1 when SOURCE or FILE is wrong.
    """
    from config.problems import Findings

    wanted, findings = checked(given), Findings()
    if wanted.kind == "meetings" and wanted.first is None:
        wanted = replace(wanted, first=_today(wanted))
    if wanted.kind == "school-hours":
        _school_hours(wanted, findings)
        sys.exit(DONE)
    assert wanted.target is not None  # noqa: S101 - checked
    new = _read(wanted, findings)
    _stop_if_wrong(findings, wanted)
    _import(wanted, new, findings)
    sys.exit(DONE)


def _import(wanted: Wanted, new: Sheet, findings: Findings) -> None:
    from config.imports.sheet import difference, merged, read_sheet, write_sheet

    assert wanted.target is not None  # noqa: S101 - checked
    old = read_sheet(wanted.target, new.columns, findings)
    _stop_if_wrong(findings, wanted)
    whole = merged(old, new, wanted.first)
    changes = difference(old, whole)
    if wanted.write:
        try:
            write_sheet(wanted.target, whole)
        except OSError as error:
            raise click.ClickException(f"{wanted.target} cannot be written: {error.strerror or error}") from error
    if wanted.as_json:
        click.echo(json.dumps(_facts(wanted, whole, changes, findings), indent=2, ensure_ascii=False))
        return
    _tell(findings)
    for line in _lines(changes):
        click.echo(line)
    click.echo(_summary(wanted, changes))


def _read(wanted: Wanted, findings: Findings) -> Sheet:
    """What SOURCE says, as the sheet of its kind."""
    from config.imports.sheet import OF_CALENDAR, OF_EXCEPTIONS, sheet

    today = _today(wanted)
    if wanted.kind == "public-holidays":
        from config.imports import public_holidays

        span = wanted.years or range(today.year, today.year + 3)
        lines = public_holidays.of_country(wanted.source, span, findings)
        return _cut(sheet(OF_CALENDAR, lines, date(span[-1], 12, 31), _origin(wanted, today)), wanted)
    file, text = _text(wanted, findings)
    if wanted.kind == "school-holidays":
        from config.imports import school_holidays

        if _is_agenda(text):
            found = school_holidays.of_agenda(file, text, wanted.zone, findings)
        else:
            found = school_holidays.of_records(file, text, wanted.zone, findings)
        return _cut(sheet(OF_CALENDAR, found.lines, found.valid_until, _origin(wanted, today)), wanted)
    from config.imports import meetings

    first = wanted.first or today
    choice = meetings.Choice(
        first, wanted.last or first + _AHEAD, wanted.only, wanted.state, wanted.priority, wanted.all_day
    )
    if _is_agenda(text):
        lines = meetings.of_agenda(file, text, ZoneInfo(wanted.timezone), choice, findings)
    else:
        lines = meetings.of_table(file, text, columns_of(wanted.columns), choice, findings)
    reach = wanted.last or max((date.fromisoformat(line[1]) for line in lines), default=choice.last)
    return sheet(OF_EXCEPTIONS, lines, reach, _origin(wanted, today))


def _today(wanted: Wanted) -> date:
    return datetime.now(ZoneInfo(wanted.timezone)).date()


def _cut(whole: Sheet, wanted: Wanted) -> Sheet:
    """The sheet between --from and --until."""
    first, last = wanted.first or date.min, wanted.last or date.max
    lines = tuple(line for line in whole.lines if str(first) <= line[1] and line[0] <= str(last))
    reach = whole.valid_until
    return replace(whole, lines=lines, valid_until=min(reach, last) if reach else wanted.last)


def _origin(wanted: Wanted, today: date) -> str:
    from importlib.metadata import version

    name = "stdin" if wanted.source == "-" else Path(wanted.source).name
    if wanted.kind == "public-holidays":
        name = f"holidays {version('holidays')} {wanted.source}"
    words = [wanted.kind, f"from {name}", f"zone {wanted.zone}" if wanted.zone else "", f"on {today}"]
    return " ".join(word for word in words if word)


def _text(wanted: Wanted, findings: Findings) -> tuple[str, str]:
    """The name of the source for messages, and its text; empty where it is wrong."""
    from config.imports.records import decoded
    from config.problems import Spot

    if wanted.source == "-":
        name, content = "stdin", sys.stdin.buffer.read(_LARGEST_BYTES + 1)
    else:
        name = wanted.source
        try:
            with Path(wanted.source).open("rb") as file:
                content = file.read(_LARGEST_BYTES + 1)
        except OSError as error:
            raise click.ClickException(f"{wanted.source} cannot be read: {error.strerror or error}") from error
    if len(content) > _LARGEST_BYTES:
        findings.error(Spot(name), f"more than {_LARGEST_BYTES // 1_000_000} MB")
        content = b""
    text = decoded(name, content, wanted.encoding, findings)
    _stop_if_wrong(findings, wanted)
    return name, text or ""


def _is_agenda(text: str) -> bool:
    return text.lstrip()[:15].upper() == "BEGIN:VCALENDAR"


def _school_hours(wanted: Wanted, findings: Findings) -> None:
    from config.imports import school_hours

    file, text = _text(wanted, findings)
    found = school_hours.of_records(file, text, wanted.uai, wanted.school_year, findings)
    _stop_if_wrong(findings, wanted)
    assert found is not None  # noqa: S101 - without an error there are hours
    if wanted.as_json:
        facts = {"uai": found.uai, "name": found.name, "school_year": found.school_year, "rhythms": found.rhythms}
        click.echo(json.dumps({**facts, "weekly": found.weekly}, indent=2, ensure_ascii=False))
    else:
        click.echo(school_hours.rendered(found), nl=False)


def _stop_if_wrong(findings: Findings, wanted: Wanted) -> None:
    """All problems so far and exit code 1, where one is an error."""
    if not findings.failed:
        return
    if wanted.as_json:
        click.echo(json.dumps({"written": False, "problems": _problems(findings)}, indent=2, ensure_ascii=False))
    else:
        _tell(findings)
        click.echo("nothing was written", err=True)
    sys.exit(WRONG)


def _tell(findings: Findings) -> None:
    for problem in findings.ordered():
        click.echo(str(problem), err=True)


def _problems(findings: Findings) -> list[dict[str, object]]:
    return [asdict(problem) for problem in findings.ordered()]


def _lines(changes: Changes) -> list[str]:
    """Removed and added as in any difference, changed as both."""
    marked = [(line, "-") for line in changes.removed] + [(line, "+") for line in changes.added]
    marked += [pair for old, new in changes.changed for pair in ((old, "~-"), (new, "~+"))]
    found = [f"{sign} {_row(line)}" for line, sign in sorted(marked, key=lambda each: each[0][0])]
    before, after = changes.valid_until
    return found if before == after else [*found, f"~ valid_until: {before or 'not said'} -> {after or 'not said'}"]


def _row(line: Line) -> str:
    return ",".join(line)


def _summary(wanted: Wanted, changes: Changes) -> str:
    counts = f"{len(changes.added)} added, {len(changes.removed)} removed, {len(changes.changed)} changed"
    words = f"{wanted.target}: {counts}, {changes.unchanged} as before"
    if wanted.write:
        return f"{words}; written. Next: veilleuse check"
    return f"{words}; --write writes it" if changes.any else words


def _facts(wanted: Wanted, whole: Sheet, changes: Changes, findings: Findings) -> dict[str, object]:
    def named(line: Line) -> dict[str, str]:
        return dict(zip(whole.columns, line, strict=True))

    return {
        "kind": wanted.kind,
        "source": wanted.source,
        "file": str(wanted.target),
        "valid_until": str(whole.valid_until) if whole.valid_until else None,
        "added": [named(line) for line in changes.added],
        "removed": [named(line) for line in changes.removed],
        "changed": [{"old": named(old), "new": named(new)} for old, new in changes.changed],
        "unchanged": changes.unchanged,
        "written": wanted.write,
        "problems": _problems(findings),
    }
