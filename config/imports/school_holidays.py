"""French school holidays from the ministry's data set, as days without school.

The data set is ``fr-en-calendrier-scolaire`` of data.education.gouv.fr (licence Etalab 2.0), its export as CSV or
JSON, or the iCalendar file of a zone. What its fields mean, from the ministry's page and from public users of the data
in November 2026: pupils leave after class on ``start_date`` and are back in the morning of ``end_date``, so the days
without school are those between the two; both are the instants of midnight in Paris, overseas too. A line stands once
for each académie of a zone and once for each ``population``; teachers' lines are left out. A bridge (``Pont ...``)
names its own first day off. ``Début des Vacances d'Été`` has no return yet: until it is published nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.fields import shown
from config.ics import read_occurrences
from config.imports.records import YEARS, Record, lacks, read_records
from config.imports.sheet import Line, cell
from config.problems import Findings, Spot, did_you_mean

DATASET = "fr-en-calendrier-scolaire"
FIELDS = ("description", "start_date", "end_date", "zones")
_PARIS = ZoneInfo("Europe/Paris")
_DAY = timedelta(days=1)
_THURSDAY, _FRIDAY, _SUNDAY = 3, 4, 6
_NO_HOLIDAY = ("rentrée", "prérentrée", "pré-rentrée")


@dataclass(frozen=True, slots=True)
class SchoolHolidays:
    """The lines, and until when the data reach."""

    lines: tuple[Line, ...] = ()
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """One holiday as published: the day of leaving after class, the day of return in the morning."""

    spot: Spot
    label: str
    leave: date
    back: date
    source: str


def of_records(file: str, text: str, zone: str, findings: Findings) -> SchoolHolidays:
    """The holidays of a zone (``A``, ``B``, ``C``, ``Corse``, ``Guadeloupe`` ...) from the export of the data set."""
    records = read_records(file, text, findings)
    if lacks(file, records, FIELDS, findings):
        return SchoolHolidays()
    mine = [each for each in records if _is_of(each, zone)]
    if records and not mine:
        zones = sorted({name.removeprefix("Zone ") for each in records if (name := each.cells.get("zones"))})
        hint = did_you_mean(zone, zones) or ";"
        findings.error(Spot(file, 1, 1), f'nothing for zone "{zone}"{hint} there are {", ".join(zones)}')
    pupils = (each for each in mine if "enseignant" not in each.cells.get("population", "").lower())
    return _holidays(_published(file, pupils, zone, findings), findings)


def of_agenda(file: str, text: str, zone: str, findings: Findings) -> SchoolHolidays:
    """The holidays of the ministry's iCalendar file of one zone."""
    found = read_occurrences(file, text, _PARIS, findings)
    name = file.rpartition("/")[2]
    entries = [
        _Entry(Spot(file), each.label, each.days[0], each.days[1] + (_DAY if each.end else timedelta()), name)
        for each in found
        if "enseignant" not in each.label.lower()
    ]
    named = {each.label for each in entries if "zone" in each.label.lower()}
    if any(f"zone {zone}".lower() not in label.lower() for label in named):
        findings.error(Spot(file, 1, 1), f"has other zones than {zone}; take the file of one zone (Zone-{zone}.ics)")
    return _holidays(entries, findings)


def _is_of(record: Record, zone: str) -> bool:
    wanted = zone.lower().removeprefix("zone ")
    names = (record.cells.get(name, "").lower().removeprefix("zone ") for name in ("zones", "location"))
    return wanted in names


def _published(file: str, records: Iterable[Record], zone: str, findings: Findings) -> Iterator[_Entry]:
    for record in records:
        spot = Spot(file, record.line, 1)
        days = [_day(record, name, spot, findings) for name in ("start_date", "end_date")]
        if days[0] is not None and days[1] is not None:
            year = record.cells.get("annee_scolaire", "")
            source = " ".join(word for word in (DATASET, year, f"zone {zone}") if word)
            yield _Entry(spot, record.cells.get("description", ""), days[0], days[1], source)


def _day(record: Record, name: str, spot: Spot, findings: Findings) -> date | None:
    """The day in Paris: ``2026-10-16T22:00:00+00:00`` is the 17th of October."""
    text = record.cells.get(name, "")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime(1, 1, 1, tzinfo=UTC)  # no year that is meant
    if at.year not in YEARS:
        findings.error(spot, f"{name}: {shown(text or None)} is no date, e.g. 2026-10-16T22:00:00+00:00")
        return None
    return (at.astimezone(_PARIS) if at.tzinfo else at).date()


def _holidays(entries: Iterable[_Entry], findings: Findings) -> SchoolHolidays:
    lines: dict[Line, None] = {}
    ends: list[date] = []
    for each in entries:
        word = each.label.lower()
        if word.startswith(_NO_HOLIDAY):
            continue
        if word.startswith("début") or (each.back <= each.leave and not word.startswith("pont")):
            ends.append(each.leave)
            words = f"{shown(each.label)} from {each.leave} has no return yet: left out, the days after it are unknown"
            findings.warning(Spot(each.spot.file, each.spot.line, 1), words)
            continue
        first, last = _days_off(each)
        if last < first:
            findings.error(each.spot, f"{each.label}: back on {each.back}, before leaving on {each.leave}")
            continue
        ends.append(last)
        lines[str(first), str(last), cell(each.label), cell(each.source)] = None
    return SchoolHolidays(tuple(lines), max(ends, default=None))


def _days_off(each: _Entry) -> tuple[date, date]:
    first, last = each.leave + _DAY, each.back - _DAY
    if each.label.lower().startswith("pont"):
        if each.leave.weekday() in (_THURSDAY, _FRIDAY):
            first = each.leave
        last = max(last, each.leave + timedelta(days=_SUNDAY - each.leave.weekday()))
    return first, last
