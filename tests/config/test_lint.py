"""The linter: what is allowed but hardly meant."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

import pytest

from schedules.sun import SUNRISE_DEG, morning
from tests.config.conftest import TODAY, Town

ODD = {
    "restart after the end": (
        '"00:30": 0, "05:00": 50', '"00:30": 0, "06:30": 50', '"06:30"',
        "programs.ville.levels.06:30: comes after sunrise-10m on ",
    ),
    "short stretch kept dark": (
        'to: sunrise-10m, at_least: 15m}\n    levels: {start: 80, "22:30"',
        'to: sunrise-10m, at_least: 90m}\n    levels: {start: 80, "22:30"', "90m",
        "programs.ville.lit.at_least: keeps a stretch of light dark on ",
    ),
    "step without effect": (
        'levels: {start: 100, "01:00": 70}', 'levels: {start: 100, "01:00": 70, "11:30": 50}', '"11:30"',
        "programs.fete.levels.11:30: this step never changes anything in the year ahead",
    ),
    "rule behind another": (
        "{on: [fri, sat], program: week-end}", "{on: [fri, sat], program: week-end}\n      - {on: fri, program: fete}",
        "fri, program",
        "plans.quartiers.rules.3.on: this rule never applies in the year ahead: an earlier rule always wins",
    ),
    "rule of the past": (
        "{on: [fri, sat], program: week-end}",
        '{on: [fri, sat], program: week-end}\n      - {on: "2025-06-21", program: fete}', '"2025-06-21"',
        "plans.quartiers.rules.3.on: this rule never applies in the year ahead: none of its days come",
    ),
    "level below the lamps' least": (
        '"01:00": 70', '"01:00": 5', "5}\n    ramp: 1m", "programs.fete.levels.01:00: lamps of type led-",
    ),
    "comfort over 19": (
        "comfort: 14, reduced: 12", "comfort: 19.5, reduced: 12", "19.5",
        "buildings.gymnase.zones.salle.allures.comfort: 19.5 degrees C are above the legal 19 (average of ",
    ),
    "reduced over 16": (
        "comfort: 14, reduced: 12", "comfort: 18, reduced: 17", "17, frost",
        "buildings.gymnase.zones.salle.allures.reduced: 17 degrees C are above the legal 16",
    ),
    "frost over 8": (
        "comfort: 14, reduced: 12, frost: 8", "comfort: 14, reduced: 12, frost: 10", "10}\n        optimum",
        "buildings.gymnase.zones.salle.allures.frost: 10 degrees C are above the legal 8",
    ),
    "program that nobody names": (
        "plans:  ", '  hiver: {lit: {from: dusk, to: dawn}}\nplans:  ', "hiver", "programs.hiver: never used",
    ),
    "device that nothing uses": (
        "\n# --- days", "  - {id: spare, bus: armoires, address: h, profile: generic-cabinet}\n\n# --- days", "spare",
        "devices.spare.id: nothing uses this device; it is polled all the same",
    ),
    "segment that nobody switches": (
        "{id: gare-2, output: 2, phase: 3}", "{id: gare-2, output: 2, phase: 3}\n      - {id: gare-3, output: 3}",
        "gare-3",
        "cabinets.cab-gare.segments.gare-3.id: feeds no lamps and is in no group: nothing switches it",
    ),
    "group without lamps": (
        "\n# --- heating", "  - {id: nobody, plan: centre}\n\n# --- heating", "nobody",
        "groups.nobody.id: no lamp and no segment belongs to this group",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_warning_at_its_place(valbourg: Town, name: str) -> None:
    old, new, place, message = ODD[name]
    valbourg.change(old, new)
    line, column = valbourg.place(place)
    assert f"site.yaml:{line}:{column}: warning: {message}" in "\n".join(valbourg.found())


def test_a_short_stretch_without_at_least(valbourg: Town) -> None:
    valbourg.change(
        'to: sunrise-10m, at_least: 15m}\n    levels: {start: 80, "22:30"',
        'to: sunrise-10m}\n    levels: {start: 80, "22:30"',
    )
    valbourg.change('"00:30": 0, "05:00": 50', '"00:30": 0, "05:20": 50')
    warning = next(line for line in valbourg.found() if "shorter than 15m" in line)
    assert "warning: programs.ville.lit: a stretch of light is shorter than 15m on " in warning
    assert warning.endswith("at_least: 15m avoids it")


def test_the_count_of_dark_mornings_is_that_of_the_sun(valbourg: Town) -> None:
    """Every night but the dozen of holidays and feasts runs the program; the sun is asked by itself."""
    valbourg.change('"00:30": 0, "05:00": 50', '"00:30": 0, "06:30": 50')
    valbourg.change("      - {on: [fri, sat], program: week-end}\n", "")
    site, problems = valbourg.check()
    assert site is not None
    (warning,) = (problem.message for problem in problems if "comes after" in problem.message)
    count = int(re.findall(r"on (\d+) mornings", warning)[0])
    risen = 0
    for ahead in range(366):
        sunrise = morning(TODAY + timedelta(days=ahead), site.place, SUNRISE_DEG)
        assert isinstance(sunrise, datetime)
        risen += sunrise.astimezone(site.place.zone).time() <= time(6, 40)
    assert risen - 12 <= count < risen


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 11, 21), None),
        (date(2028, 10, 25), None),
        (date(2028, 10, 26), "the calendar ends on 2028-12-25, in 60 days"),
        (date(2028, 12, 25), "the calendar ends on 2028-12-25, in 0 days"),
        (date(2028, 12, 26), "the calendar ended on 2028-12-25"),
    ],
)
def test_a_calendar_that_runs_out(valbourg: Town, today: date, words: str | None) -> None:
    _, problems = valbourg.check(today=today)
    found = [problem for problem in problems if problem.message.startswith("calendars.feries.csv")]
    assert [(problem.line, problem.column) for problem in found] == (
        [valbourg.place("calendars/feries.csv")] if words else []
    )
    assert all(words and words in problem.message for problem in found)


def test_days_that_stand_twice_in_a_calendar(valbourg: Town) -> None:
    valbourg.append("2026-12-25,2026-12-25,Noël,again\n", "calendars/feries.csv")
    assert valbourg.found() == ["calendars/feries.csv:37:1: warning: these days are already in line 14"]


def test_lamps_in_no_group_are_one_warning(valbourg: Town) -> None:
    valbourg.change("  - {id: gare, plan: centre, lamps: {street: Avenue de la Gare}}\n", "")
    first = [f"l-{number:03}" for number in range(17, 22)]
    assert valbourg.found() == [
        f"lamps.csv:19:1: warning: id: 8 lamps are in no group and never lit: {', '.join(first)} and 3 more"
    ]


def test_the_device_of_an_absence_detector_is_used(valbourg: Town) -> None:
    spare = "  - {id: spare, bus: armoires, address: h, profile: generic-cabinet}\n"
    valbourg.change("\n# --- days", f"{spare}\n# --- days")
    assert len(valbourg.found()) == 1
    zone = "        optimum_start: {cap: 3h, cap_after_vacancy: 24h, minutes_per_k: 12}\n"
    valbourg.change(zone, f"{zone}        absence: {{device: spare, number: 1}}\n")
    assert valbourg.found() == []


def test_a_lamp_far_away(valbourg: Town) -> None:
    valbourg.change(
        "l-001,Place d'Armes,cab-mairie,mairie-1,1,led-70,50.29120,2.77690",
        "l-001,Place d'Armes,cab-mairie,mairie-1,1,led-70,2.77690,50.29120",
        "lamps.csv",
    )
    (line,) = valbourg.found()
    assert line.startswith("lamps.csv:3:50: warning: latitude: ")
    assert "are latitude and longitude swapped? l-001" in line


def test_caps_are_french_law(valbourg: Town) -> None:
    valbourg.change("country: FR ", "country: BE ")
    valbourg.change("comfort: 14, reduced: 12", "comfort: 22, reduced: 12")
    assert valbourg.found() == []


def test_a_password_in_clear_text_over_the_network(valbourg: Town) -> None:
    valbourg.change("mqtt://127.0.0.1:1883", "mqtt://broker.example:1883")
    _, problems = valbourg.check({"VEILLEUSE_MQTT__PASSWORD": "geheim"})
    assert [problem.message for problem in problems] == ["mqtt.url: the password travels in clear text; use mqtts://"]


def test_a_key_without_effect_is_told(valbourg: Town) -> None:
    valbourg.change("  base: veilleuse\n", "  base: veilleuse\n  home_assistant: homeassistant\n")
    (line,) = valbourg.found()
    assert "without effect: this version publishes no Home Assistant discovery" in line
