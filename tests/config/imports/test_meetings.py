"""Meetings from agendas and booking tables: which lines they give, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from config.imports.meetings import Choice, of_agenda, of_table
from config.problems import Findings

PARIS = ZoneInfo("Europe/Paris")
CHOICE = Choice(date(2026, 11, 1), date(2027, 6, 30))
HOURS = "08:00-18:00"
ALL_DAY = replace(CHOICE, all_day=HOURS)
HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//ville//agenda//FR\n"


def agenda(*events: str) -> str:
    blocks = (f"BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n{event}\nEND:VEVENT\n" for event in events)
    return HEAD + "".join(blocks) + "END:VCALENDAR\n"


def from_agenda(text: str, choice: Choice = CHOICE) -> tuple[list[tuple[str, ...]], list[str]]:
    findings = Findings()
    lines = of_agenda("town/agenda.ics", text, PARIS, choice, findings)
    return lines, [str(problem) for problem in findings.ordered()]


def from_table(text: str, columns: str = "", choice: Choice = CHOICE) -> tuple[list[tuple[str, ...]], list[str]]:
    findings = Findings()
    named = dict(pair.split("=") for pair in columns.split(",") if pair)
    lines = of_table("salle.csv", text, named, choice, findings)
    return lines, [str(problem) for problem in findings.ordered()]


EVENTS = {
    "an evening": (
        "UID:c1\nSUMMARY:Conseil\nDTSTART;TZID=Europe/Paris:20261124T183000\nDTEND;TZID=Europe/Paris:20261124T220000",
        [("2026-11-24", "2026-11-24", "18:30-22:00", "Conseil")],
    ),
    "in UTC, after the clock change": (
        "UID:c1\nSUMMARY:Conseil\nDTSTART:20261124T173000Z\nDTEND:20261124T210000Z",
        [("2026-11-24", "2026-11-24", "18:30-22:00", "Conseil")],
    ),
    "over midnight": (
        "UID:c1\nSUMMARY:Bal\nDTSTART:20261205T200000\nDTEND:20261206T020000",
        [("2026-12-05", "2026-12-05", "20:00-02:00", "Bal")],
    ),
    "until midnight": (
        "UID:c1\nSUMMARY:Bal\nDTSTART:20261205T200000\nDURATION:PT4H",
        [("2026-12-05", "2026-12-05", "20:00-24:00", "Bal")],
    ),
    "seconds count for the minute that they are in": (
        "UID:c1\nSUMMARY:Bal\nDTSTART:20261205T200030\nDTEND:20261205T210030",
        [("2026-12-05", "2026-12-05", "20:00-21:01", "Bal")],
    ),
    "all day": (
        "UID:c1\nSUMMARY:Tournoi\nDTSTART;VALUE=DATE:20261212\nDTEND;VALUE=DATE:20261214",
        [("2026-12-12", "2026-12-13", HOURS, "Tournoi")],
    ),
    "several days with hours": (
        "UID:c1\nSUMMARY:Salon\nDTSTART:20261214T080000\nDTEND:20261217T120000",
        [
            ("2026-12-14", "2026-12-14", "08:00-24:00", "Salon"),
            ("2026-12-17", "2026-12-17", "00:00-12:00", "Salon"),
            ("2026-12-15", "2026-12-16", "", "Salon"),
        ],
    ),
    "one whole day by the clock": (
        "UID:c1\nSUMMARY:x\nDTSTART:20261214T000000\nDTEND:20261215T000000", [("2026-12-14", "2026-12-14", HOURS, "x")],
    ),
    "exactly a day from the evening on": (
        "UID:c1\nSUMMARY:x\nDTSTART:20261214T200000\nDTEND:20261215T200000",
        [("2026-12-14", "2026-12-14", "20:00-24:00", "x"), ("2026-12-15", "2026-12-15", "00:00-20:00", "x")],
    ),
    "weekly, over the clock change, not in the holidays": (
        (
            "UID:c1\nSUMMARY:Club\nDTSTART;TZID=Europe/Paris:20261020T190000\nDTEND;TZID=Europe/Paris:20261020T210000\n"
            "RRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID=Europe/Paris:20261110T190000"
        ),
        [(day, day, "19:00-21:00", "Club") for day in ("2026-11-03", "2026-11-17")],
    ),
    "cancelled": ("UID:c1\nSUMMARY:x\nSTATUS:CANCELLED\nDTSTART:20261124T183000\nDTEND:20261124T220000", []),
    "over before the first day": ("UID:c1\nSUMMARY:x\nDTSTART:20261031T183000\nDTEND:20261031T220000", []),
    "still going on at the first day": (
        "UID:c1\nSUMMARY:x\nDTSTART;VALUE=DATE:20261025\nDTEND;VALUE=DATE:20261104",
        [("2026-10-25", "2026-11-03", HOURS, "x")],
    ),
    "after the last day": ("UID:c1\nSUMMARY:x\nDTSTART:20270701T183000\nDTEND:20270701T220000", []),
    "a name that is a formula": (
        "UID:c1\nSUMMARY:=SUM(1)\nDTSTART;VALUE=DATE:20261124", [("2026-11-24", "2026-11-24", HOURS, "SUM(1)")],
    ),
    "without a name": (
        "UID:c1\nLOCATION:Mairie\nDTSTART;VALUE=DATE:20261124", [("2026-11-24", "2026-11-24", HOURS, "Mairie")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_the_lines_of_an_event(name: str) -> None:
    event, expected = EVENTS[name]
    lines, problems = from_agenda(agenda(event), ALL_DAY)
    assert problems == []
    assert lines == [(*line, "open", "8", "agenda.ics: c1") for line in expected]


def test_a_rule_without_an_end_goes_on_until_the_last_day() -> None:
    event = "UID:c1\nSUMMARY:Club\nDTSTART:20260901T190000\nDTEND:20260901T210000\nRRULE:FREQ=WEEKLY"
    lines, problems = from_agenda(agenda(event))
    assert problems == []
    assert (len(lines), lines[0][0], lines[-1][0]) == (35, "2026-11-03", "2027-06-29")


def test_one_occurrence_moved_keeps_the_uid() -> None:
    series = "UID:c1\nSUMMARY:Club\nDTSTART:20261103T190000\nDTEND:20261103T210000\nRRULE:FREQ=WEEKLY;COUNT=2"
    moved = "UID:c1\nSUMMARY:Club\nRECURRENCE-ID:20261110T190000\nDTSTART:20261111T200000\nDTEND:20261111T220000"
    lines, _ = from_agenda(agenda(series, moved))
    assert [line[:3] for line in lines] == [
        ("2026-11-03", "2026-11-03", "19:00-21:00"),
        ("2026-11-11", "2026-11-11", "20:00-22:00"),
    ]


def test_a_meeting_without_length_is_left_out_with_a_word() -> None:
    lines, problems = from_agenda(agenda("UID:c1\nSUMMARY:Rappel\nDTSTART:20261124T183000"))
    assert lines == []
    assert problems == ['town/agenda.ics: warning: "Rappel" on 2026-11-24 18:30 has no length: left out']


def test_a_meeting_of_whole_days_opens_nothing_unless_its_hours_are_given() -> None:
    single = "UID:c1\nSUMMARY:Anniversaire\nDTSTART;VALUE=DATE:20261124"
    weekly = "UID:c2\nSUMMARY:Club\nDTSTART:20261103T000000\nDTEND:20261104T000000\nRRULE:FREQ=WEEKLY;COUNT=3"
    lines, problems = from_agenda(agenda(single, weekly))
    assert lines == []
    words = "is all day, and would open the building for 24 hours: left out; --all-day 08:00-18:00 gives the hours of"
    assert [problem.removesuffix(" such meetings") for problem in sorted(problems)] == [
        f'town/agenda.ics: warning: "Anniversaire" on 2026-11-24 {words}',
        f'town/agenda.ics: warning: "Club" on 2026-11-03 and 2 more times {words}',
    ]
    closing = replace(CHOICE, state="closed")
    assert from_agenda(agenda(single), closing)[0][0][:5] == ("2026-11-24", "2026-11-24", "", "Anniversaire", "closed")


def test_what_takes_up_nobodys_time_opens_nothing() -> None:
    free = "UID:c1\nSUMMARY:Rappel\nTRANSP:TRANSPARENT\nDTSTART:20261124T183000\nDTEND:20261124T220000"
    busy = "UID:c2\nSUMMARY:Bal\nTRANSP:OPAQUE\nDTSTART:20261125T183000\nDTEND:20261125T220000"
    lines, problems = from_agenda(agenda(free, busy))
    assert [line[3] for line in lines] == ["Bal"]
    words = '1 that take up nobody\'s time (TRANSPARENT) are left out: "Rappel"'
    assert problems == [f"town/agenda.ics: warning: {words}"]


def test_only_one_room_with_its_state_and_priority() -> None:
    here = "UID:c1\nSUMMARY:Club\nLOCATION:Gymnase municipal\nDTSTART;VALUE=DATE:20261124"
    there = "UID:c2\nSUMMARY:Club\nLOCATION:Mairie\nDTSTART;VALUE=DATE:20261124"
    lines, _ = from_agenda(agenda(here, there), Choice(CHOICE.first, CHOICE.last, "gymnase", "closed", 3))
    assert lines == [("2026-11-24", "2026-11-24", "", "Club", "closed", "3", "agenda.ics: c1")]


def test_half_an_agenda_is_none() -> None:
    lines, problems = from_agenda(agenda("UID:c1\nDTSTART:20261124T183000", "UID:c2\nSUMMARY:x", "UID:c3\nDTSTART:now"))
    assert lines == []
    assert [problem.split(": ")[0] for problem in problems] == ["town/agenda.ics:9:1", "town/agenda.ics:17:1"]


TABLES = {
    "day and time in French": ("24/11/2026 18h30;24/11/2026 22h", ["18:30-22:00"]),
    "by the standard": ("2026-11-24T18:30:00;2026-11-24T22:00:00", ["18:30-22:00"]),
    "the end without its day": ("24/11/2026 18:30;22:00", ["18:30-22:00"]),
    "the end after midnight without its day": ("24/11/2026 20:00;02:00", ["20:00-02:00"]),
    "until 24:00": ("24/11/2026 20:00;24/11/2026 24:00", ["20:00-24:00"]),
    "whole days": ("24.11.2026;24.11.2026", [HOURS]),
    "one whole day": ("24/11/2026;", [HOURS]),
}


@pytest.mark.parametrize("name", TABLES)
def test_how_booking_software_writes_times(name: str) -> None:
    cells, hours = TABLES[name]
    lines, problems = from_table(f"Début;Fin;Objet\n{cells};Conseil\n", "start=Début,end=Fin,label=Objet", ALL_DAY)
    assert problems == []
    assert lines == [("2026-11-24", "2026-11-24", each, "Conseil", "open", "8", "salle.csv") for each in hours]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_separate_day_and_times_in_any_table(delimiter: str) -> None:
    header = ["Date", "De", "A", "Salle", "Etat", "Objet", "No"]
    rows = [
        ["24/11/2026", "18:30", "22:00", "Mairie", "validé", '"Conseil\nmunicipal"', "17"],
        ["25/11/2026", "18:30", "22:00", "Mairie", "Annulée", "Commission", "18"],
        ["26/11/2026", "20:00", "01:00", "Mairie", "", "Bal", "19"],
    ]
    text = "".join(delimiter.join(row) + "\n" for row in [header, *rows])
    lines, problems = from_table(text, "date=date,start=De,end=A,place=Salle,status=Etat,label=Objet,id=No")
    assert problems == []
    assert [line[:4] + line[6:] for line in lines] == [
        ("2026-11-24", "2026-11-24", "18:30-22:00", "Conseil municipal", "salle.csv: 17"),
        ("2026-11-26", "2026-11-26", "20:00-01:00", "Bal", "salle.csv: 19"),
    ]


def test_every_wrong_line_is_told() -> None:
    rows = [
        "24/11/2026 18:30;24/11/2026 17:00;x", "31/11/2026;;x", ";;x", "24/11/2026 25:00;24/11/2026 26:00;x",
        "18:30;19:30;x", "24/11/2026;24/11/2026 18:30;x", "soon;;x", "26/11/2026;24/11/2026;x", "a;b;c;d",
    ]  # fmt: skip
    lines, problems = from_table("start;end;label\n" + "\n".join(rows) + "\n")
    assert lines == []
    assert [problem.removeprefix("salle.csv:").split(": error: ")[0] for problem in problems] == [
        f"{number}:1" for number in range(2, 11)
    ]
    assert problems[1].endswith('"31/11/2026" is no day: day is out of range for month')
    assert problems[2].endswith("the booking has no start")


def test_a_column_that_is_not_there() -> None:
    lines, problems = from_table("Début;Fin\n24/11/2026;\n", "start=Debut,end=Fin")
    assert lines == []
    assert problems == ['salle.csv:1:1: error: no column "debut" for start; did you mean "début"? there are début, fin']
