"""The timetable says what the core will command: no gap, the daemon's own values and reasons at every instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.cycle import begin, cycle
from controller.core.heating import zone_array
from controller.core.journal import Saved
from controller.core.lighting import lamp_array, segment_array
from controller.core.state import Draft
from controller.core.timetable import Entry, matching, targets_of, timetable
from controller.core.wiring import Wiring
from schedules.moments import noon
from schedules.plan import Plan
from tests.controller.towns import PARIS, PLACE, at, program, town

TOWN = Wiring(town())
FIRST, LAST = at("2026-01-01 00:00"), at("2028-12-31 00:00")
instants = st.integers(0, int((LAST - FIRST).total_seconds())).map(lambda seconds: FIRST + timedelta(seconds=seconds))


def entry_at(entries: list[Entry], when: datetime) -> Entry:
    return next(entry for entry in entries if entry.start <= when < entry.end)


def of(target: str, start: str, end: str, wiring: Wiring = TOWN) -> list[tuple[str, object, str]]:
    """(local start, level or setpoint, reason) of every entry."""
    found = timetable(wiring, at(start), at(end), [target])
    wanted = ((each, each.setpoint_c if each.level is None else each.level) for each in found)
    return [(f"{each.start.astimezone(PARIS):%a %H:%M}", value, each.reason) for each, value in wanted]


@given(start=instants, hours=st.integers(1, 80))
@settings(max_examples=40, deadline=None)
def test_every_target_is_covered_without_a_gap(start: datetime, hours: int) -> None:
    end = start + timedelta(hours=hours)
    entries = list(timetable(TOWN, start, end, targets_of(TOWN.site)))
    found = {name: list(each) for name, each in groupby(entries, key=lambda entry: entry.target)}
    assert list(found) == targets_of(TOWN.site)
    for each in found.values():
        assert (each[0].start, each[-1].end) == (start, end)
        assert all(entry.start < entry.end for entry in each)
        assert all(before.end == after.start for before, after in pairwise(each))


@given(start=instants, after_s=st.integers(0, 200_000))
@settings(max_examples=60, deadline=None)
def test_it_is_what_a_core_that_starts_then_commands(start: datetime, after_s: int) -> None:
    when = start + timedelta(seconds=after_s)
    entries = list(timetable(TOWN, start, when + timedelta(hours=1), targets_of(TOWN.site)))
    begun = begin(TOWN, Saved(), when).state
    draft = Draft(begun, when)
    for group, lamp in (("centre-ville", "m-1"), ("gare", "g-1")):
        entry = entry_at([each for each in entries if each.target == f"group/{group}"], when)
        assert entry.level == lamp_array(TOWN, draft, lamp).winner.value
    for segment in TOWN.site.segments:
        entry = entry_at([each for each in entries if each.target == f"segment/{segment}"], when)
        assert (entry.level == 100.0) == (segment_array(TOWN, draft, segment).winner.value == 1.0)
    when += timedelta(seconds=2.0 * TOWN.site.timing.stale_after_s)  # the devices had their chance to answer
    draft = Draft(cycle(TOWN, begun, [], when).state, when)
    for zone in TOWN.site.zones:
        entry = entry_at([each for each in entries if each.target == f"zone/{zone}"], when)
        winner = zone_array(TOWN, draft, zone).winner
        assert (entry.setpoint_c, entry.allure, entry.reason) == (winner.value, winner.allure, winner.reason)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 10, 24), 25), (date(2026, 3, 28), 23), (date(2026, 6, 1), 24)])
def test_a_night_of_the_clock_change_has_its_real_length(day: date, hours: int) -> None:
    start, end = noon(day, PARIS), noon(day + timedelta(days=1), PARIS)
    for target in targets_of(TOWN.site):
        lengths = [entry.end - entry.start for entry in timetable(TOWN, start, end, [target])]
        assert sum(lengths, timedelta()) == timedelta(hours=hours)


def test_a_group_follows_its_plan_with_the_daemons_words() -> None:
    assert of("group/centre-ville", "2026-01-12 22:00", "2026-01-13 06:00") == [
        ("Mon 22:00", 100.0, "plan centre: sunset+10m (default)"),
        ("Mon 22:30", 60.0, "plan centre: 22:30 (default)"),
        ("Tue 00:30", 0.0, "plan centre: 00:30 (default)"),
        ("Tue 05:00", 60.0, "plan centre: 05:00 (default)"),
    ]


def test_a_contactor_is_closed_while_one_of_its_lamps_is_lit() -> None:
    assert of("segment/mairie-a", "2026-01-12 22:00", "2026-01-13 06:00") == [
        ("Mon 22:00", 100.0, "feeds lit lamps: plan centre: sunset+10m (default)"),
        ("Tue 00:30", 0.0, "feeds no lit lamp: plan centre: 00:30 (default)"),
        ("Tue 05:00", 100.0, "feeds lit lamps: plan centre: 05:00 (default)"),
    ]


def test_a_contactor_of_two_groups_stays_closed_through_the_cut_of_one() -> None:
    site = town()
    lamps = {**site.lamps, "m-1": replace(site.lamps["m-1"], segment="gare-a")}
    both = Wiring(replace(site, lamps=lamps))
    assert of("segment/gare-a", "2026-01-12 22:00", "2026-01-13 06:00", both) == [
        ("Mon 22:00", 100.0, "feeds lit lamps: plan centre: sunset+10m (default)")
    ]


def test_a_contactor_stays_closed_for_the_faintest_light() -> None:
    site = town()
    faint = Plan("faint", program("faint", {"22:30": 1, "00:30": 0}), (), PLACE)
    groups = {**site.groups, "gare": replace(site.groups["gare"], plan=faint)}
    assert of("segment/gare-a", "2026-01-12 22:45", "2026-01-13 06:00", Wiring(replace(site, groups=groups))) == [
        ("Mon 22:45", 100.0, "feeds lit lamps: plan faint: 22:30 (default)"),
        ("Tue 00:30", 0.0, "feeds no lit lamp: plan faint: 00:30 (default)"),
    ]


def test_a_contactor_without_lamps_follows_its_own_group() -> None:
    site = town()
    lamps = {name: replace(lamp, segment=None) for name, lamp in site.lamps.items()}
    groups = {**site.groups, "gare": replace(site.groups["gare"], segments=("gare-a",))}
    alone = Wiring(replace(site, lamps=lamps, groups=groups))
    night = ("2026-01-12 22:00", "2026-01-13 06:00")
    assert of("segment/gare-a", *night, alone) == [("Mon 22:00", 100.0, "plan roads: sunset+10m (default)")]
    assert of("segment/mairie-a", *night, alone) == [("Mon 22:00", 0.0, "no plan and no override")]


def test_a_zone_preheats_as_if_it_had_fallen_to_its_setpoint() -> None:
    assert of("zone/ecole.classes", "2026-01-12 12:00", "2026-01-13 12:00") == [
        ("Mon 12:00", 19.0, "weekly mon-fri 08:00-17:30"),
        ("Mon 17:30", 16.0, "vacant 14.5 h until Tue 08:00"),
        (
            "Tue 06:30",
            19.0,
            "optimum start for the opening on Tue 08:00: no temperature, 1 h 30 predicted (30 min/K, nothing learnt)",
        ),
        ("Tue 08:00", 19.0, "weekly mon-fri 08:00-17:30"),
    ]


def test_a_long_vacancy_is_frost_with_its_own_cap() -> None:
    assert of("zone/ecole.classes", "2026-01-17 12:00", "2026-01-19 09:00") == [
        ("Sat 12:00", 8.0, "vacant 62.5 h until Mon 08:00"),
        (
            "Mon 02:30",
            19.0,
            "optimum start for the opening on Mon 08:00: no temperature, 5 h 30 predicted (30 min/K, nothing learnt)",
        ),
        ("Mon 08:00", 19.0, "weekly mon-fri 08:00-17:30"),
    ]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("gare", ["group/gare"]),
        ("group/gare", ["group/gare"]),
        ("gare-a", ["segment/gare-a"]),
        ("ecole.classes", ["zone/ecole.classes"]),
        ("classes", ["zone/ecole.classes"]),
        ("lamp/m-1", ["group/centre-ville"]),
        ("g-2", ["group/gare"]),
        ("zone/m-1", []),
        ("lamp/gare", []),
        ("nobody", []),
    ],
)
def test_a_target_is_found_by_its_name_its_id_or_a_lamp(target: str, found: list[str]) -> None:
    assert matching(TOWN.site, target) == found
