"""Mistakes about delegated zones, each at its place, and what the linter says of their capacity."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.site import Delegation, Drift, Steering
from tests.config.conftest import Town

PLACE = "        optimum_start: {cap: 3h, cap_after_vacancy: 24h, minutes_per_k: 45}\n"
GYM = "        optimum_start: {cap: 3h, cap_after_vacancy: 24h, minutes_per_k: 12}\n"
MISTAKES = {
    "no such object": (
        PLACE, '{delegate: {schedule: "program,1"}}', '"program,1"',
        "buildings.ecole-jaures.zones.cantine.delegate.schedule: ",
    ),
    "an unknown key": (
        PLACE, '{delegate: {schedule: "schedule,1", exception: 1}}', "exception: 1",
        'zones.cantine.delegate.exception: unknown key; did you mean "exceptions"?',
    ),
    "supervised all the same": (
        PLACE, '{steering: supervise, delegate: {schedule: "schedule,1"}}', '{schedule: "schedule,1"',
        "zones.cantine.delegate: steering is supervise: leave one of the two out",
    ),
    "delegated to nothing": (
        PLACE, "{steering: delegate}", "cantine\n        occupancy: cantine",
        "zones.cantine.id: steering is delegate: name its objects: delegate: {schedule: schedule,1}",
    ),
    "no priority array": (
        GYM, '{delegate: {schedule: "schedule,1"}}', '{schedule: "schedule,1"',
        "zones.salle.delegate: zone.1.setpoint has no priority array: an override could not be taken back",
    ),
}  # fmt: skip


def written(town: Town, old: str, new: str) -> None:
    """``{a: 1, b: 2}`` as the keys of the zone in place of ``old``."""
    depth, parts, part = 0, [], ""
    for letter in new[1:-1]:
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0 and '"' not in part.rpartition(": ")[2]:
            parts.append(part)
            part = ""
        else:
            part += letter
    town.change(old, "".join(f"        {each.strip()}\n" for each in (*parts, part)))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake(valbourg: Town, name: str) -> None:
    old, new, place, message = MISTAKES[name]
    written(valbourg, old, new)
    line, column = valbourg.place(place)
    lines = [text for text in valbourg.found() if ": error: " in text]
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"site.yaml:{line}:{column}: error: ")
    assert message in lines[0]


def test_two_zones_cannot_share_one_object(valbourg: Town) -> None:
    first = "        optimum_start: {cap: 4h, cap_after_vacancy: 36h, minutes_per_k: 75}\n      - id: maternelle\n"
    valbourg.change(
        first, '        delegate: {schedule: "schedule,1", calendar: "calendar,1"}\n      - id: maternelle\n'
    )
    written(valbourg, PLACE, '{delegate: {schedule: "schedule,3", calendar: "calendar,1"}}')
    (error,) = [text for text in valbourg.found() if ": error: " in text]
    assert "zones.cantine.delegate.calendar" in error
    assert "calendar,1" in error


def test_what_does_not_fit_is_a_warning(valbourg: Town) -> None:
    written(valbourg, PLACE, '{delegate: {schedule: "schedule,3", lead: 30m, check: 1h, drift: tell, exceptions: 2}}')
    site, problems = valbourg.check()
    assert site is not None
    zone = site.zones["ecole-jaures.cantine"]
    assert zone.steering is Steering.DELEGATE
    assert zone.delegate == Delegation(
        "schedule,3", exceptions=2, check=timedelta(hours=1), lead=timedelta(minutes=30), drift=Drift.TELL
    )
    (warning,) = [str(each) for each in problems]
    assert "scheduleCapacity: " in warning
    assert "do not fit into 2 exceptions; the gateway supervises them" in warning


def test_what_fits_is_none(valbourg: Town) -> None:
    written(valbourg, PLACE, '{delegate: {schedule: "schedule,3", calendar: "calendar,3", exceptions: 20}}')
    assert valbourg.found() == []


SCHOOL = "    use: school\n    area: 900"
WARM = "allures: {comfort: 18, reduced: 15, frost: 8}"


def clamped(town: Town, allures: str, law: str = "clamp") -> list[str]:
    """What is said of the clamp where the canteen is delegated."""
    written(town, PLACE, '{delegate: {schedule: "schedule,3", calendar: "calendar,3", exceptions: 20}}')
    town.change(WARM, allures)
    town.change(SCHOOL, f"    law: {law}\n{SCHOOL}")
    return [text for text in town.found() if "law: clamp" in text]


def test_a_clamp_that_the_controllers_schedule_does_not_know_is_a_warning(valbourg: Town) -> None:
    (warning,) = clamped(valbourg, "allures: {comfort: 20.5, reduced: 17, frost: 8}")
    line, _ = valbourg.place('"schedule,3"')
    assert warning.startswith(f"site.yaml:{line}:")
    assert (
        "zones.cantine.delegate.schedule: law: clamp is not compiled into schedule,3, which keeps the plan as written "
        "(comfort 20.5, reduced 17): the gateway clamps it in slot 13, without the gateway nobody does"
    ) in warning


@pytest.mark.parametrize(
    ("allures", "law"), [(WARM, "clamp"), ("allures: {comfort: 20.5, reduced: 17, frost: 8}", "warn")]
)
def test_where_nothing_can_be_clamped_nothing_is_said(valbourg: Town, allures: str, law: str) -> None:
    assert clamped(valbourg, allures, law) == []
