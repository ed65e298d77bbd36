"""Programs that follow a photocell or a building, and seasonal rules: from the words of a site to its plans."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from schedules.cuts import cuts, stretches
from schedules.photocell import PhotocellWindow
from schedules.plan import photocells_of
from tests.config.conftest import Town

LIT = """    lit: {from: sunset, to: sunrise}
    levels: {start: 100, "01:00": 70}
"""
PARKING = """    lit: {from: sunset, to: sunrise}
    levels: {"closing(ecole)+1h": 0, start: 100}
"""


@pytest.fixture
def lit(valbourg: Town) -> Town:
    """The program ``fete`` runs every night of the plan ``centre``."""
    valbourg.change("    default: centre\n", "    default: fete\n")
    return valbourg


def warnings(town: Town) -> list[str]:
    """Those about the program that the test writes."""
    return [problem.message for problem in town.problems() if problem.message.startswith("programs.fete")]


def test_a_photocell_with_its_windows(lit: Town) -> None:
    lit.change(LIT, LIT.replace("sunrise}", "sunrise, photocell: {cell: mairie, early: 20m}}"))
    site, _ = lit.check()
    assert site is not None
    program = site.plans["centre"].default
    assert program.photocell == PhotocellWindow("mairie", timedelta(minutes=20), timedelta(minutes=15))
    assert photocells_of(site.plans["centre"]) == {"mairie"}
    assert warnings(lit) == []


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (
            "{cell: mairi}",
            'programs.fete.lit.photocell.cell: unknown photocell "mairi"; did you mean "mairie"? known: ',
        ),
        (
            "{cell: mairie, early: 13h}",
            "programs.fete.lit.photocell.early: must not exceed 12h",
        ),
        ("{cel: mairie}", 'programs.fete.lit.photocell.cel: unknown key; did you mean "cell"? allowed: cell, early'),
        (
            "{cell: mairie, early: 0s, late: 0s}",
            "programs.fete.lit.photocell: early and late are 0s: the",
        ),
        ("{cell: mairie, late: 3h}", "programs.fete.lit.photocell.late: a photocell that fails moves the lights by"),
    ],
)
def test_windows_without_sense(lit: Town, window: str, message: str) -> None:
    lit.change(LIT, LIT.replace("sunrise}", f"sunrise, photocell: {window}}}"))
    assert any(found.startswith(message) for found in warnings(lit)), warnings(lit)


def test_windows_that_meet_are_counted_in_nights(lit: Town) -> None:
    """Two halves of four hours meet where the night is shorter than eight: about the longest days."""
    lit.change(LIT, LIT.replace("sunrise}", "sunrise, photocell: {cell: mairie, early: 4h, late: 4h}}"))
    (found,) = [message for message in warnings(lit) if "all night" in message]
    count = int(found.split("on ")[1].split()[0])
    assert 30 < count < 80
    assert found.endswith("nights of the year ahead the photocell decides all night: its windows meet")


def test_a_photocell_that_nothing_follows(valbourg: Town) -> None:
    valbourg.change(", photocell: {cell: mairie, early: 20m, late: 15m}", "")
    assert any(line.endswith("photocells.mairie.id: no program follows this photocell") for line in valbourg.found())


def test_a_car_park_closes_after_the_school_and_after_its_meetings(lit: Town) -> None:
    """One row of reunions.csv: 2026-11-26, 18:00-20:30."""
    lit.change(LIT, PARKING)
    site, _ = lit.check()
    assert site is not None
    plan, zone = site.plans["centre"], site.place.zone

    def ends(day: date) -> list[str]:
        return [f"{span.end.astimezone(zone):%d %H:%M}" for span in stretches(plan, day)]

    assert ends(date(2026, 11, 24)) == ["24 18:30"]
    assert ends(date(2026, 11, 26)) == ["26 21:30"]
    assert ends(date(2026, 11, 29)) == [], "a Sunday"
    sunday = cuts(plan, date(2026, 11, 29))
    assert [cut.before for cut in sunday] == [100.0]
    assert sunday[0].end - sunday[0].start > timedelta(hours=14)
    lit.change("2026-11-26,,18:00-20:30", "2026-11-26,,18:00-22:00", "calendars/reunions.csv")
    site, _ = lit.check()
    assert site is not None
    plan = site.plans["centre"]
    assert ends(date(2026, 11, 26)) == ["26 23:00"], "the row moves the lights as it moves the heating"
    heated = site.zones["ecole-jaures.classes"].occupancy
    assert any(exception.start == date(2026, 11, 26) for exception in heated.exceptions)


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            "to: sunrise",
            "to: closing(ecol)",
            "closing(ecol)",
            'lit.to: unknown occupancy "ecol"; did you mean "ecole"?',
        ),
        ("from: sunset", "from: opening(x)", "opening(x)", 'programs.fete.lit.from: unknown occupancy "x"; known: '),
        ("start: 100", '"closing(ecol)": 0', '"closing(ecol)', 'levels.closing(ecol): unknown occupancy "ecol"; did '),
        ("to: sunrise", "to: closng(ecole)", "closng(ecole)", 'did you mean "closing"?'),
    ],
)
def test_an_unknown_building(lit: Town, old: str, new: str, place: str, message: str) -> None:
    lit.change(LIT, LIT.replace(old, new))
    line, column = lit.place(place)
    (found,) = lit.found()
    assert found.startswith(f"site.yaml:{line}:{column}: error: ")
    assert message in found


def test_a_building_that_only_lights_need_is_used(lit: Town) -> None:
    lit.change("occupancy:\n", 'occupancy:\n  marche: {weekly: {sat: "08:00-13:00"}}\n')
    assert any("occupancy.marche: never used" in line for line in lit.found())
    lit.change(LIT, PARKING.replace("ecole", "marche"))
    assert not any("occupancy.marche: never used" in line for line in lit.found())


def test_a_building_that_never_opens_in_the_morning(lit: Town) -> None:
    lit.change("occupancy:\n", 'occupancy:\n  bar: {weekly: {sat: "18:00-23:00"}}\n')
    lit.change(LIT, LIT.replace("01:00", "opening(bar)-1h"))
    assert "programs.fete.levels.opening(bar)-1h: bar never opens in the morning in the year ahead" in warnings(lit)


def test_a_cut_while_somebody_is_there(lit: Town) -> None:
    """The market of 2026-12-04 goes on until 22:00; the school is empty on every other evening by 20:30."""
    lit.change(LIT, LIT.replace('"01:00": 70', '"21:00": 0, "06:00": 80, "closing(ecole)+1h": 60'))
    (found,) = [message for message in warnings(lit) if "cut while" in message]
    assert found.startswith("programs.fete.levels.closing(ecole)+1h: cut while ecole is occupied on ")
    first = datetime.fromisoformat(found.rsplit(" ", 1)[1]).date()
    assert first == date(2026, 12, 4)


def test_a_season(valbourg: Town) -> None:
    valbourg.change("{on: [fri, sat],", '{on: [fri, sat], within: "04-01..09-30",')
    site, problems = valbourg.check()
    assert site is not None
    assert problems == []
    rule = site.plans["quartiers"].rules[1]
    assert rule.reason(date(2027, 7, 2)) == "fri within 04-01..09-30"
    assert rule.reason(date(2027, 1, 1)) is None


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ('{within: "06-31..08-31", program: week-end}', 'plans.quartiers.rules.2.within: "06-31..08-31" names no day'),
        ("{within: [fri, satt], program: week-end}", 'within.2: "satt" names no day; did you mean "sat"?'),
        ("{program: week-end}", "plans.quartiers.rules.2: a rule needs its days: on, within, or both"),
        ("{onn: fri, program: week-end}", 'plans.quartiers.rules.2.onn: unknown key; did you mean "on"?'),
        ("{on: [], program: week-end}", "plans.quartiers.rules.2.on: must not be empty"),
    ],
)  # fmt: skip
def test_a_rule_without_its_days(valbourg: Town, rule: str, message: str) -> None:
    valbourg.change("{on: [fri, sat], program: week-end}", rule)
    (found,) = valbourg.found()
    assert message in found


def test_a_season_that_never_comes_to_win(valbourg: Town) -> None:
    valbourg.change(
        "{on: [fri, sat], program: week-end}",
        '{on: [fri, sat], program: week-end}\n      - {within: "2025-01-01..2025-12-31", program: fete}',
    )
    (found,) = [line for line in valbourg.found() if "never applies" in line]
    assert "rules.3.within: this rule never applies in the year ahead: none of its days come" in found


@pytest.mark.parametrize(("building", "known"), [("ecole", True), ("ecol", False)])
def test_a_derogation_may_end_with_a_building(valbourg: Town, building: str, known: bool) -> None:
    valbourg.append(
        "derogations:\n  - {id: bal, groups: [centre-ville], from: 2026-12-01, to: 2026-12-31, "
        f"until: closing({building})+2h, reference: A1, issuer: mairie}}\n"
    )
    wrong = [problem.message for problem in valbourg.problems() if "unknown occupancy" in problem.message]
    assert bool(wrong) is not known
    assert all('"ecol"; did you mean "ecole"?' in message for message in wrong)
