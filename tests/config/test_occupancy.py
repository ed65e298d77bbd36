"""Occupancy in the site files: effective period, priorities of exceptions and closed days, how far the dates reach."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from config.site import Site
from schedules.exceptions import Extent
from schedules.occupancy import DatedException, Effective, evaluate, parse_interval
from tests.config.conftest import Town
from tests.config.test_legal import DEROGATION, bound

MEETINGS = "calendars/reunions.csv"
ALSO = "also: calendars/reunions.csv"
TABLE = """# valid_until: 2027-06-30
start,end,hours,label,state,priority,source
2026-12-25,,18:00-22:00,Veillée,open,,mairie
2026-12-28,,18:00-22:00,Club,open,12,club
2026-12-29,,,Travaux,closed,3,services
2026-12-30,,,en attente,none,1,services
"""


def built(town: Town) -> Site:
    site, problems = town.check()
    assert site is not None, problems
    return site


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris")).astimezone(UTC)


def test_the_columns_of_an_exception(valbourg: Town) -> None:
    valbourg.write(TABLE, MEETINGS)
    occupancy = built(valbourg).zones["ecole-jaures.classes"].occupancy
    evening = parse_interval("18:00-22:00")
    assert occupancy.exceptions == (
        DatedException(date(2026, 12, 25), evening, True, "Veillée", date(2026, 12, 25), 8),
        DatedException(date(2026, 12, 28), evening, True, "Club", date(2026, 12, 28), 12),
        DatedException(date(2026, 12, 29), None, False, "Travaux", date(2026, 12, 29), 3),
    )
    assert occupancy.extents == (Extent("reunions.csv", date(2027, 6, 30)),)
    assert evaluate(occupancy, at("2026-12-25T19:00")).occupied, "a meeting opens a closed day"
    assert not evaluate(occupancy, at("2026-12-28T19:00")).occupied, "a weak booking does not"


def test_closed_days_may_be_weaker(valbourg: Town) -> None:
    valbourg.write(TABLE, MEETINGS)
    valbourg.change(ALSO, f"{ALSO}, closed_priority: 14")
    assert evaluate(built(valbourg).zones["ecole-jaures.classes"].occupancy, at("2026-12-28T19:00")).occupied


def test_the_effective_period(valbourg: Town) -> None:
    valbourg.change(ALSO, f"{ALSO}, effective: {{from: 2026-09-01, to: 2027-07-03}}")
    occupancy = built(valbourg).zones["ecole-jaures.classes"].occupancy
    assert occupancy.effective == Effective(date(2026, 9, 1), date(2027, 7, 3))
    assert "outside the effective period" in evaluate(occupancy, at("2027-09-06T10:00")).reason


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("2026-12-25,,18:00-22:00,x,open,0,m", 32, 'priority: "0" is none; 1 to 16, the lowest number wins'),
        ("2026-12-25,,18:00-22:00,x,open,17,m", 32, 'priority: "17" is none; 1 to 16'),
        ("2026-12-25,,18:00-22:00,x,open,high,m", 32, 'priority: "high" is none'),
        ("2026-12-25,,18:00-22:00,x,opn,,m", 27, 'state: "opn" is not known; did you mean "open"? allowed: open, '),
    ],
)
def test_what_is_wrong_with_an_exception(valbourg: Town, row: str, column: int, message: str) -> None:
    valbourg.write(TABLE + row + "\n", MEETINGS)
    (found,) = valbourg.found()
    assert found.startswith(f"{MEETINGS}:7:{column}: error: {message}")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("effective: {}", "effective: needs from, to or both"),
        ("effective: {from: 2026-09-01, to: 2026-08-31}", "effective.to: 2026-08-31 is before from, 2026-09-01"),
        ("effective: {from: september}", "effective.from: "),
        ("closed_priority: 17", "closed_priority: "),
        ("closed_priority: 0", "closed_priority: "),
    ],
)
def test_what_is_wrong_with_an_occupancy(valbourg: Town, written: str, message: str) -> None:
    valbourg.change(ALSO, f"{ALSO}, {written}")
    (found,) = valbourg.found()
    assert message in found
    assert ": error: " in found


REACH = {
    "the last day listed": ("", "", "2028-12-25"),
    "a line of the file": ("# valid_until: 2029-12-31\n", "", "2029-12-31"),
    "the site file wins": ("# valid_until: 2029-12-31\n", ", valid_until: 2030-06-30", "2030-06-30"),
    "before the last day listed": ("# valid_until: 2028-06-30\n", "", "2028-06-30"),
    "as a spreadsheet leaves it": ('"# Valid until: 2029-12-31"\n'.replace('"', ""), "", "2029-12-31"),
}


@pytest.mark.parametrize("name", REACH)
def test_until_when_a_calendar_knows_its_days(valbourg: Town, name: str) -> None:
    line, key, expected = REACH[name]
    text = valbourg.path("calendars/feries.csv").read_text(encoding="utf-8")
    valbourg.write(line + text, "calendars/feries.csv")
    valbourg.change("{csv: calendars/feries.csv}", f"{{csv: calendars/feries.csv{key}}}")
    assert str(built(valbourg).calendars["feries"].valid_until) == expected


def test_a_column_says_it_too(valbourg: Town) -> None:
    rows = "2026-12-25,,Noël,x,2027-08-31\n2027-01-01,,Jour de l'an,x,2027-12-31\n"
    valbourg.write("start,end,label,source,valid_until\n" + rows, "calendars/feries.csv")
    assert built(valbourg).calendars["feries"].valid_until == date(2027, 12, 31)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("# valid_until: soon\n", 'calendars/feries.csv:1:1: error: valid_until: "soon" is not a date'),
        (
            "# valid_until: 2029-12-31\n# valid_until: 2029-12-31\n",
            "calendars/feries.csv:2:1: error: valid_until: the file says it a second time",
        ),
    ],
)
def test_a_reach_that_cannot_be_read(valbourg: Town, line: str, message: str) -> None:
    text = valbourg.path("calendars/feries.csv").read_text(encoding="utf-8")
    valbourg.write(line + text, "calendars/feries.csv")
    (found,) = valbourg.found()
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2027, 4, 30), None),
        (date(2027, 5, 1), "reunions.csv ends on 2027-06-30, in 60 days"),
        (date(2027, 7, 1), "reunions.csv ended on 2027-06-30: every day since is an ordinary one"),
    ],
)
def test_exceptions_that_run_out(valbourg: Town, today: date, words: str | None) -> None:
    valbourg.write(TABLE, MEETINGS)
    _, problems = valbourg.check(today=today)
    found = [problem.message for problem in problems if "reunions.csv" in problem.message]
    assert len(found) == bool(words)
    assert all(each.startswith(f"occupancy.ecole.also: {words}") for each in found)


def test_an_occupancy_named_by_a_derogations_end_alone_is_used(valbourg: Town) -> None:
    bound(valbourg, "car-park")
    valbourg.change(ALSO + "}", ALSO + '}\n  marche: {weekly: {sat: "08:00-13:00"}}')
    valbourg.append(DEROGATION.replace("all-night", "closing(marche)+1h"))
    assert not [line for line in valbourg.found() if "never used" in line]
