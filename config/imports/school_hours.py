"""The weekly hours of a public primary school in France from its UAI code.

The data set is ``fr-en-organisation-du-temps-scolaire`` of data.education.gouv.fr (licence Etalab 2.0), its export as
CSV or JSON. Its fields, as a public mirror of its schema lists them: ``code_uai``, ``nom_etablissement``,
``annee_scolaire``, ``multi_rythme``, and for each day ``lundi_matin_debut``, ``lundi_matin_fin``,
``lundi_apres_midi_debut``, ``lundi_apres_midi_fin``. How it writes a time was not seen; every usual way is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from config.fields import shown
from config.imports.records import Record, lacks, read_records
from config.problems import Findings, Spot
from schedules.calendars import WEEKDAYS

DATASET = "fr-en-organisation-du-temps-scolaire"
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi")
_HALVES = ("matin", "apres_midi")
_TIME = re.compile(r"(?:.*[T ])?(\d{1,2})\s*[:hH]\s*(\d{2})?(?::\d{2})?(?:Z|\+00:00)?")
_DIGITS = re.compile(r"(\d{2})(\d{2})")

Week = dict[str, list[str]]
"""As ``occupancy.<id>.weekly`` takes it: ``{"mon-tue": ["08:30-12:00", "13:45-16:30"]}``."""


@dataclass(frozen=True, slots=True)
class SchoolHours:
    """One school's week; ``rhythms`` above 1: several classes with hours of their own, here all of them together."""

    uai: str
    name: str
    school_year: str
    rhythms: int
    weekly: Week


def of_records(file: str, text: str, uai: str, school_year: str | None, findings: Findings) -> SchoolHours | None:
    """The latest school year of the school, or the one asked for; None where something is wrong."""
    records = read_records(file, text, findings)
    if lacks(file, records, ("code_uai",), findings):
        return None
    mine = [each for each in records if each.cells.get("code_uai", "").upper() == uai.upper()]
    years = sorted({each.cells.get("annee_scolaire", "") for each in mine})
    if not mine:
        findings.error(Spot(file, 1, 1), f"no school with the UAI {uai} among {len(records)} lines")
        return None
    if school_year is not None and school_year not in years:
        findings.error(Spot(file, 1, 1), f"{uai} has no hours for {school_year}; there are {', '.join(years)}")
        return None
    year = years[-1] if school_year is None else school_year
    chosen = [each for each in mine if each.cells.get("annee_scolaire", "") == year]
    days = [[span for each in chosen for span in _spans(file, each, day, findings)] for day in _DAYS]
    if not findings.failed and not any(days):
        findings.error(Spot(file, chosen[0].line, 1), f"{uai} has no hours in {year}")
    if findings.failed:
        return None
    return SchoolHours(uai.upper(), chosen[0].cells.get("nom_etablissement", ""), year, len(chosen), _week(days))


def rendered(hours: SchoolHours) -> str:
    """The block for the site file."""
    lines = [f"# {hours.uai} {hours.name}, {hours.school_year}: {DATASET}".replace("  ", " ")]
    if hours.rhythms > 1:
        lines.append(f"# {hours.rhythms} rhythms in this school: the hours of all of them")
    lines.append("weekly:")
    for days, intervals in hours.weekly.items():
        listed = ", ".join(f'"{each}"' for each in intervals)
        lines.append(f"  {days}: [{listed}]")
    return "\n".join(lines) + "\n"


def _spans(file: str, record: Record, day: str, findings: Findings) -> list[tuple[int, int]]:
    """The mornings and afternoons of a day, in minutes; a day without class has none."""
    spans = []
    for half in _HALVES:
        names = [f"{day}_{half}_{edge}" for edge in ("debut", "fin")]
        texts = [record.cells.get(name, "") for name in names]
        if not any(texts):
            continue
        start, end = (_minutes(text) for text in texts)
        wrong = [f"{name}: {shown(text)}" for name, text in zip(names, texts, strict=True) if _minutes(text) is None]
        if start is None or end is None:
            findings.error(Spot(file, record.line, 1), f"{', '.join(wrong)} is no time of the day, e.g. 08:30")
        elif end < start:
            findings.error(Spot(file, record.line, 1), f"{names[1]}: {texts[1]} is before {texts[0]}")
        elif end > start:
            spans.append((start, end))
    return spans


def _minutes(text: str) -> int | None:
    match = _TIME.fullmatch(text) or _DIGITS.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        return None
    return int(match[1]) * 60 + int(match[2] or 0)


def _week(days: list[list[tuple[int, int]]]) -> Week:
    """Equal days that follow each other under one key."""
    found = [(WEEKDAYS[index], _merged(spans)) for index, spans in enumerate(days)]
    week: Week = {}
    for intervals, run in groupby(found, key=lambda each: each[1]):
        names = [name for name, _ in run]
        if intervals:
            week[names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"] = intervals
    return week


def _merged(spans: list[tuple[int, int]]) -> list[str]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}" for start, end in joined]
