"""Imported calendars: what iCalendar files mean, and what is wrong with them, with the line."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from config.problems import Findings
from config.tree.ics import read_ics
from tests.config.conftest import Town

PARIS = ZoneInfo("Europe/Paris")
HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//ville//agenda//FR\n"
EVENT = "BEGIN:VEVENT\nUID:u1@ville\nDTSTAMP:20260101T000000Z\n{}\nEND:VEVENT\n"
HOLIDAY = "SUMMARY:Fête nationale\nDTSTART;VALUE=DATE:20260714\nDTEND;VALUE=DATE:20260715"


def ics(*events: str) -> str:
    return HEAD + "".join(EVENT.format(event) for event in events) + "END:VCALENDAR\n"


def read(text: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    findings = Findings()
    periods = read_ics("agenda.ics", text, PARIS, findings)
    return [(str(p.start), str(p.end), p.label) for p in periods], [str(found) for found in findings.ordered()]


DAYS = {
    "one whole day: the end is the day after": (HOLIDAY, [("2026-07-14", "2026-07-14", "Fête nationale")]),
    "without an end it is one day": ("SUMMARY:x\nDTSTART;VALUE=DATE:20260714", [("2026-07-14", "2026-07-14", "x")]),
    "by its length": ("DTSTART;VALUE=DATE:20260714\nDURATION:P3D", [("2026-07-14", "2026-07-16", "")]),
    "school holidays": (
        "SUMMARY:Vacances\\, zone B\nDTSTART;VALUE=DATE:20261219\nDTEND;VALUE=DATE:20270104",
        [("2026-12-19", "2027-01-03", "Vacances, zone B")],
    ),
    "a label over two lines": ("SUMMARY:Conseil\n  municipal\nDTSTART;VALUE=DATE:20260714", [
        ("2026-07-14", "2026-07-14", "Conseil municipal"),
    ]),
    "an evening": ("DTSTART:20260714T180000Z\nDTEND:20260714T203000Z", [("2026-07-14", "2026-07-14", "")]),
    "in UTC still the day before": (
        "DTSTART:20260714T223000Z\nDTEND:20260714T233000Z", [("2026-07-15", "2026-07-15", "")],
    ),
    "over midnight touches both days": (
        "DTSTART;TZID=Europe/Paris:20260714T200000\nDTEND;TZID=Europe/Paris:20260715T013000",
        [("2026-07-14", "2026-07-15", "")],
    ),
    "until midnight is one day": ("DTSTART:20260714T200000\nDTEND:20260715T000000", [("2026-07-14", "2026-07-14", "")]),
    "weekly, but not on the day left out": (
        "DTSTART;VALUE=DATE:20260901\nRRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;VALUE=DATE:20260908",
        [(day, day, "") for day in ("2026-09-01", "2026-09-15", "2026-09-22")],
    ),
    "added days": (
        "DTSTART;VALUE=DATE:20260901\nRDATE;VALUE=DATE:20260903,20261001",
        [(day, day, "") for day in ("2026-09-01", "2026-09-03", "2026-10-01")],
    ),
    "a day added before the first": (
        "DTSTART;VALUE=DATE:20260901\nRDATE;VALUE=DATE:20260601",
        [(day, day, "") for day in ("2026-06-01", "2026-09-01")],
    ),
    "cancelled": (f"{HOLIDAY}\nSTATUS:CANCELLED", []),
}  # fmt: skip


@pytest.mark.parametrize("name", DAYS)
def test_the_days_of_an_event(name: str) -> None:
    event, days = DAYS[name]
    assert read(ics(event)) == (days, [])
    assert read(ics(event).replace("\n", "\r\n")) == (days, []), "lines as the standard has them"


def test_a_yearly_event_goes_on_for_ten_years_after_the_last_day_of_the_file() -> None:
    days, found = read(ics(f"{HOLIDAY}\nRRULE:FREQ=YEARLY"))
    assert found == []
    assert [day for day, _, _ in days] == [f"{year}-07-14" for year in range(2026, 2037)]
    later, _ = read(ics(f"{HOLIDAY}\nRRULE:FREQ=YEARLY").replace("DTSTAMP:2026", "DTSTAMP:2030"))
    assert later[-1][0] == "2039-07-14"


def test_one_moved_and_one_dropped_occurrence() -> None:
    series = "SUMMARY:Conseil\nDTSTART;VALUE=DATE:20260901\nRRULE:FREQ=WEEKLY;COUNT=3"
    moved = "SUMMARY:Conseil\nRECURRENCE-ID;VALUE=DATE:20260908\nDTSTART;VALUE=DATE:20260910"
    dropped = "SUMMARY:Conseil\nRECURRENCE-ID;VALUE=DATE:20260915\nDTSTART;VALUE=DATE:20260915\nSTATUS:CANCELLED"
    days, found = read(ics(series, moved, dropped))
    assert ([day for day, _, _ in days], found) == (["2026-09-01", "2026-09-10"], [])


def test_the_source_is_the_file_and_the_event() -> None:
    (period,) = read_ics("/town/calendars/agenda.ics", ics(HOLIDAY), PARIS, Findings())
    assert period.source == "agenda.ics: u1@ville"


BROKEN = {
    "a web page": ("<!DOCTYPE html>\n", 'agenda.ics:1:1: error: not iCalendar: it begins with "<!DOCTYPE html>"'),
    "nothing": ("\n", "agenda.ics:1:1: error: the file is empty"),
    "cut off": (ics(HOLIDAY)[:-35], "agenda.ics:4:1: error: BEGIN:VEVENT has no end: the file is cut off"),
    "a wrong end": (ics(HOLIDAY).replace("END:VEVENT", "END:VTODO"), "agenda.ics:10:1: error: END:VTODO does not end "),
    "no day": (ics("SUMMARY:x"), "agenda.ics:4:1: error: DTSTART: missing: the event has no day"),
    "a day that does not exist": (ics("DTSTART;VALUE=DATE:20260231"), "agenda.ics:7:1: error: DTSTART: "),
    "no line of the format": (ics(f"{HOLIDAY}\nnonsense"), "agenda.ics:10:1: error: Content line could not be "),
    "an end before the start": (
        ics("DTSTART;VALUE=DATE:20260714\nDTEND;VALUE=DATE:20260713"), "agenda.ics:8:1: error: DTEND: before DTSTART",
    ),
    "two names": (
        ics(f"{HOLIDAY}\nSUMMARY:Bal"), "agenda.ics:10:1: error: SUMMARY: a second one; line 7 has the first",
    ),
    "two beginnings": (
        ics(f"{HOLIDAY}\nDTSTART;VALUE=DATE:20260716"),
        "agenda.ics:10:1: error: DTSTART: a second one; line 8 has the first",
    ),
    "an unknown rule": (ics(f"{HOLIDAY}\nRRULE:FREQ=MOONLY"), "agenda.ics:10:1: error: RRULE: "),
    "a rule by the hour": (ics(f"{HOLIDAY}\nRRULE:FREQ=HOURLY"), "agenda.ics:10:1: error: RRULE: HOURLY names no days"),
    "a year out of reach": (ics("DTSTART;VALUE=DATE:10260714"), "agenda.ics:7:1: error: DTSTART: the year 1026"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_with_a_file(name: str) -> None:
    text, said = BROKEN[name]
    days, (found,) = read(text)
    assert days == [], "half a calendar is none"
    assert found.startswith(said)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("DTSTART;VALUE=DATE:20260714\nRRULE:FREQ=DAILY;INTERVAL=0", "INTERVAL=0 never comes again; it is at least 1"),
        ("DTSTART;VALUE=DATE:20260714\nRRULE:COUNT=3", "FREQ is missing"),
        ("DTSTART;VALUE=DATE:20260714\nDTEND;VALUE=DATE:99991231", "the year 9999 is not meant"),
    ],
)
def test_what_would_never_end(event: str, message: str) -> None:
    found, problems = read(ics(event))
    assert found == []
    assert len(problems) == 1
    assert message in problems[0]


def test_a_file_that_was_changed_in_the_far_future_is_read_all_the_same() -> None:
    found, problems = read(ics(f"{HOLIDAY}\nLAST-MODIFIED:99990101T000000Z"))
    assert (found, problems) == ([("2026-07-14", "2026-07-14", "Fête nationale")], [])


def test_an_unknown_time_zone_is_a_warning() -> None:
    days, (found,) = read(ics("DTSTART;TZID=Nowhere/City:20260714T200000\nDTEND;TZID=Nowhere/City:20260714T210000"))
    assert days == [("2026-07-14", "2026-07-14", "")]
    assert found == 'agenda.ics:7:1: warning: DTSTART: unknown time zone "Nowhere/City": read as local time'


def test_a_site_follows_an_imported_calendar(valbourg: Town) -> None:
    valbourg.write(ics("SUMMARY:Bal\nDTSTART:20261120T190000Z\nDTEND:20261121T010000Z"), "calendars/agenda.ics")
    valbourg.change("  vacances-b: {csv", "  agenda: {ics: calendars/agenda.ics}\n  vacances-b: {csv")
    valbourg.change("{on: [fri, sat], program: week-end}", "{on: agenda, program: fete}")
    site, problems = valbourg.check()
    assert site is not None
    assert "agenda: Bal" in {rule.reason(date(2026, 11, 20)) for rule in site.plans["quartiers"].rules}
    (warning,) = [problem.message for problem in problems if "agenda" in problem.message]
    assert warning.startswith("calendars.agenda.ics: the calendar ends on 2026-11-21, in 0 days")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "{csv: calendars/vacances-zone-b.csv, ics: calendars/a.ics}",
            "calendars.feries: a calendar is one file: csv or ics",
        ),
        ("{}", "calendars.feries: a calendar is one file: csv or ics"),
        ("{cvs: calendars/feries.csv}", 'calendars.feries.cvs: unknown key; did you mean "ics"? allowed: csv, ics'),
        ("{ics: calendars/none.ics}", "calendars.feries.ics: "),
    ],
)
def test_a_calendar_is_one_file(valbourg: Town, written: str, message: str) -> None:
    valbourg.change("feries: {csv: calendars/feries.csv}", f"feries: {written}")
    valbourg.write(ics(HOLIDAY), "calendars/a.ics")
    (found,) = valbourg.found()
    assert message in found


def test_the_libraries_wait_for_a_site_that_needs_them() -> None:
    code = (
        "import sys; from pathlib import Path; from config.load import load_site; from config.starter import "
        "example_directory; load_site(example_directory('valbourg'), {}); sys.exit('icalendar' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
