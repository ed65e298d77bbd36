"""``veilleuse plan --svg``: the picture of a year is read back and compared with the plan itself."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from config.load import load_site
from controller.cli import cli
from controller.core.timetable import timetable
from controller.core.wiring import Wiring
from schedules.moments import noon
from schedules.plan import steps_between
from tests.controller.sites import LAMPS, SITE, write_site
from tests.controller.year_reader import Picture

EXAMPLES = Path(__file__).resolve().parents[2] / "config" / "examples"
VALBOURG = EXAMPLES / "valbourg"
PARIS, SYDNEY = ZoneInfo("Europe/Paris"), ZoneInfo("Australia/Sydney")
PARIS_PLACE = "latitude: 50.291, longitude: 2.777, timezone: Europe/Paris"
PLACES = {
    "bourg": (PARIS_PLACE, PARIS),
    "sydney": ("latitude: -33.87, longitude: 151.21, timezone: Australia/Sydney", SYDNEY),
    "61-north": ("latitude: 61.0, longitude: 10.5, timezone: Europe/Oslo", ZoneInfo("Europe/Oslo")),
    "70-north": ("latitude: 69.65, longitude: 18.96, timezone: Europe/Oslo", ZoneInfo("Europe/Oslo")),
    "half-hour-change": (
        "latitude: -31.55, longitude: 159.08, timezone: Australia/Lord_Howe",
        ZoneInfo("Australia/Lord_Howe"),
    ),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site")


def run(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["plan", str(site), *arguments])


def drawn(site: Path, *arguments: str) -> Picture:
    result = run(site, "--svg", "-", *arguments)
    assert result.exit_code == 0, result.output
    return Picture(result.stdout)


def changed(site: Path, *pairs: tuple[str, str]) -> Path:
    file = site / "site.yaml"
    text = file.read_text(encoding="utf-8")
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    file.write_text(text, encoding="utf-8")
    return site


@pytest.mark.parametrize("place", PLACES)
def test_the_shade_is_the_level_of_the_plan(site: Path, place: str) -> None:
    words, zone = PLACES[place]
    picture = drawn(changed(site, (PARIS_PLACE, words)), "--on", "2026-01-01")
    start, end = noon(date(2026, 1, 1), zone), noon(date(2027, 1, 1), zone)
    for group in load_site(site).groups.values():
        steps = steps_between(group.plan, start, end)
        panel = picture.panel(f"group/{group.id}")
        for number in range(0, int((end - start) / timedelta(minutes=1)), 23):
            at = start + timedelta(minutes=number, seconds=30)
            nearby = {steps[bisect_right(steps, at + shift, key=lambda step: step.at) - 1].level for shift in SHIFTS}
            if len(nearby) == 1:
                (level,) = nearby
                assert panel.at(at, zone) == ({f"{level:g}"} if level else set()), at.astimezone(zone)


SHIFTS = (timedelta(minutes=-1), timedelta(), timedelta(minutes=1))


def test_a_zones_shade_is_its_setpoint(site: Path) -> None:
    panel = drawn(site, "--on", "2026-01-01").panel("zone/ecole.classes")
    entries = timetable(
        Wiring(load_site(site)), noon(date(2026, 1, 1), PARIS), noon(date(2027, 1, 1), PARIS), ["zone/ecole.classes"]
    )
    hours: dict[str, float] = {}
    for entry in entries:
        middle = entry.start + (entry.end - entry.start) / 2
        assert panel.at(middle, PARIS) == {f"{entry.setpoint_c:g}"}
        hours[str(entry.allure)] = hours.get(str(entry.allure), 0.0) + (entry.end - entry.start) / timedelta(hours=1)
    assert panel.figures == {allure: pytest.approx(span, abs=0.06) for allure, span in hours.items()}
    assert sum(panel.figures.values()) == pytest.approx(8760.0, abs=0.1)


def test_the_hour_that_occurs_twice_has_two_halves_and_the_missing_one_is_bare(site: Path) -> None:
    steps = '{{"22:30": 60, "00:30": 0, "05:00": 60}}'.replace("{{", "{").replace("}}", "}")
    changed(site, (steps, '{"01:00": 50, "02:30": 20}'), ("on: sat", "on: mon"))
    panel = drawn(site, "--on", "2026-01-01", "--of", "rues").panel("group/rues")
    back, forward = (2 * (day - date(2026, 1, 1)).days for day in (date(2026, 10, 25), date(2026, 3, 29)))
    back, forward = back - 2, forward - 2
    two, half_past, three = 14 * 60, 14 * 60 + 30, 15 * 60
    assert [panel.shown(back, minute) for minute in (two, half_past, three)] == [{"50"}, {"20"}, {"20"}]
    assert [panel.shown(back + 1, minute) for minute in (two, half_past, three)] == [{"20"}, {"20"}, {"20"}]
    assert [panel.shown(forward, minute) for minute in (two - 1, two, three - 1, three)] == [
        {"50"},
        set(),
        set(),
        {"20"},
    ]


@pytest.mark.parametrize(
    ("place", "marks"),
    [
        (
            "bourg",
            [("clock", "2026-03-28"), ("solstice", "2026-06-20"), ("clock", "2026-10-24"), ("solstice", "2026-12-21")],
        ),
        (
            "sydney",
            [("clock", "2026-04-04"), ("solstice", "2026-06-21"), ("clock", "2026-10-03"), ("solstice", "2026-12-21")],
        ),
    ],
)
def test_clock_changes_and_solstices_are_marked_at_their_rows(
    site: Path, place: str, marks: list[tuple[str, str]]
) -> None:
    changed(site, (PARIS_PLACE, PLACES[place][0]))
    assert drawn(site, "--on", "2026-01-01").marks == marks


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (
            "bourg",
            ["29 Mar", "02:00 → 03:00", "row of 23 h", "25 Oct", "03:00 → 02:00", "row of 25 h", "21 Jun", "21 Dec"],
        ),
        ("sydney", ["5 Apr", "03:00 → 02:00", "4 Oct", "02:00 → 03:00", "sun down 14 h 06 min"]),
        ("70-north", ["the sun does not set", "the sun does not rise"]),
    ],
)
def test_the_marks_say_what_happens(site: Path, place: str, words: list[str]) -> None:
    text = drawn(changed(site, (PARIS_PLACE, PLACES[place][0])), "--on", "2026-01-01").words
    assert [each for each in words if each not in text] == []


@pytest.mark.parametrize(
    ("place", "sunset_nights", "civil_nights"), [("bourg", 365, 365), ("61-north", 365, 300), ("70-north", 240, 210)]
)
def test_the_suns_curves_have_a_point_a_crossing(site: Path, place: str, sunset_nights: int, civil_nights: int) -> None:
    picture = drawn(changed(site, (PARIS_PLACE, PLACES[place][0])), "--on", "2026-01-01")
    sunset, civil = len(picture.points(-0.833)), len(picture.points(-6.0))
    assert sunset == 730 if sunset_nights == 365 else 2 * sunset_nights < sunset < 730
    assert civil == 730 if civil_nights == 365 else 2 * civil_nights < civil < 730


def test_the_figures_are_those_of_hours_counted_elsewhere(site: Path) -> None:
    """Paris 2026, by an ephemeris: 4287.75 h from sunset to sunrise, 3857.2 h of civil night."""
    cut = '{lit: {from: sunset, to: sunrise}, levels: {"23:00": 0, "05:00": 50}}'
    civil = "{lit: {from: dusk, to: dawn}}"
    changed(
        site,
        (PARIS_PLACE, "latitude: 48.86, longitude: 2.35, timezone: Europe/Paris"),
        (
            'coupure: {lit: {from: sunset+10m, to: sunrise-10m}, levels: {"22:30": 60, "00:30": 0, "05:00": 60}}',
            f"coupure: {cut}",
        ),
        ("pleine: {lit: {from: sunset, to: sunrise}}", f"pleine: {civil}"),
        ("{default: coupure, rules: [{on: sat, program: pleine}]}", "{default: coupure}"),
    )
    picture = drawn(site, "--on", "2026-01-01")
    place, streets = picture.panel("group/place").figures, picture.panel("group/rues").figures
    assert place == {
        "lit": pytest.approx(3857.2, abs=0.2),
        "dark in the cut": 0.0,
        "full-load equivalent": place["lit"],
        "lit by day": 0.0,
        "while lit": pytest.approx(place["lit"] * 0.040, abs=0.1),
    }
    assert streets["lit"] == pytest.approx(4287.75 - 365 * 6, abs=0.2)
    assert streets["dark in the cut"] == pytest.approx(365 * 6, abs=0.1)
    full, half = (
        2 * streets["full-load equivalent"] - streets["lit"],
        2 * (streets["lit"] - streets["full-load equivalent"]),
    )
    assert streets["while lit"] == pytest.approx(3 * (full * 0.040 + half * 0.02025), rel=0.001)


def test_lamps_without_a_node_draw_power_while_their_contactor_is_closed() -> None:
    site = load_site(EXAMPLES / "armoires")
    picture = drawn(site.directory, "--on", "2026-01-01")
    lamps = [site.lamps[name] for name in site.groups["rues"].lamps]
    closed = {name: picture.panel(f"segment/{name}").figures["closed"] for name in ("rues-pair", "rues-impair")}
    assert closed["rues-impair"] < 0.6 * closed["rues-pair"]
    watt_hours = sum(lamp.type.expected_power_w(100.0) * closed[str(lamp.segment)] for lamp in lamps)
    assert picture.panel("group/rues").figures["while lit"] == pytest.approx(watt_hours / 1000.0, rel=0.001)


def test_light_by_day_is_counted(site: Path) -> None:
    picture = drawn(
        changed(site, ("pleine: {lit: {from: sunset, to: sunrise}}", "pleine: {lit: {from: sunset-1h, to: sunrise}}")),
        "--on",
        "2026-01-01",
    )
    assert picture.panel("group/place").figures["lit by day"] == pytest.approx(365.0, abs=0.1)


def test_rules_stand_beside_the_rows(site: Path) -> None:
    panel = drawn(site, "--on", "2026-01-01").panel("group/rues")
    bars = panel.bars("pleine")
    assert (len(bars), bars[0]) == (52, ("2026-01-03", "2026-01-03"))
    assert "pleine, 52 nights: sat ×52" in panel.words
    assert "coupure, all other nights" in panel.words


def test_groups_of_one_plan_share_a_panel_and_mixed_segments_have_one() -> None:
    assert [panel.targets for panel in drawn(VALBOURG, "--on", "2026-01-01").panels] == [
        ["group/centre-ville", "group/gare"],
        ["group/quartiers", "group/quartier-gare", "group/quartier-ecoles"],
        ["zone/ecole-jaures.classes", "zone/ecole-jaures.maternelle"],
        ["zone/ecole-jaures.cantine"],
        ["zone/gymnase.salle"],
    ]


def test_a_segment_of_two_plans_has_its_own_panel(site: Path) -> None:
    picture = drawn(site, "--on", "2026-01-01")
    assert [panel.targets for panel in picture.panels] == [
        ["group/rues"],
        ["group/place"],
        ["segment/s-1"],
        ["zone/ecole.classes"],
    ]
    feeds = picture.panel("segment/s-1")
    place, streets = picture.panel("group/place").figures["lit"], picture.panel("group/rues").figures["lit"]
    assert streets < place <= feeds.figures["closed"]


@pytest.mark.parametrize(
    ("target", "shown"),
    [("rues", "group/rues"), ("l-003", "group/place"), ("s-2", "segment/s-2"), ("twin", "segment/twin")],
)
def test_of_draws_one_target(site: Path, target: str, shown: str) -> None:
    assert [panel.targets for panel in drawn(site, "--on", "2026-01-01", "--days", "3", "--of", target).panels] == [
        [shown]
    ]


@pytest.mark.parametrize(
    ("arguments", "first", "nights"),
    [
        (["--on", "2026-01-01"], "2026-01-01", 365),
        (["--on", "2028-01-01"], "2028-01-01", 366),
        (["--on", "2026-09-01"], "2026-09-01", 365),
        (["--on", "2028-02-29"], "2028-02-29", 366),
        (["--on", "2026-11-23", "--days", "1"], "2026-11-23", 1),
        (["--on", "2026-11-23", "--days", "30"], "2026-11-23", 30),
    ],
)
def test_the_window(site: Path, arguments: list[str], first: str, nights: int) -> None:
    for panel in drawn(site, *arguments).panels:
        assert (panel.element.attrib["data-first"], panel.element.attrib["data-nights"]) == (first, str(nights))


def test_the_default_is_the_calendar_year(site: Path) -> None:
    before = datetime.now(UTC).astimezone(PARIS).year
    first = date.fromisoformat(drawn(site, "--of", "rues").panels[0].element.attrib["data-first"])
    assert (first.month, first.day) == (1, 1)
    assert first.year in (before, datetime.now(UTC).astimezone(PARIS).year)


def test_names_are_escaped(site: Path) -> None:
    name = r'"A<b> & \"c\" ]]> \x07 \u2028 école"'
    changed(
        site, ("name: Bourg", f"name: {name}"), ("- id: classes\n", '- id: classes\n        name: "<script>&amp;"\n')
    )
    picture = drawn(site, "--on", "2026-01-01", "--days", "2")
    assert 'A<b> & "c" ]]> \N{REPLACEMENT CHARACTER} \u2028 école' in picture.words
    assert "<script>&amp;" in picture.words


def test_the_file_is_told_and_is_what_goes_to_the_terminal(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "year.svg"
    result = run(site, "--on", "2026-01-01", "--svg", str(file))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{file}: 365 nights\n")
    assert file.read_text(encoding="utf-8") == run(site, "--on", "2026-01-01", "--svg", "-").stdout


def test_a_year_is_small() -> None:
    whole, one = (
        run(VALBOURG, "--on", "2026-01-01", "--svg", "-", *more).stdout for more in ([], ["--of", "quartier-gare"])
    )
    assert len(whole.encode()) < 150_000
    assert len(one.encode()) < 80_000


def test_two_hundred_groups_are_drawn_in_time(site: Path) -> None:
    plans = [f"  p-{n}: {{default: g-{n}, rules: [{{on: [fri, sat], program: pleine}}]}}" for n in range(20)]
    programs = [
        f'  g-{n}: {{lit: {{from: sunset+{n}m, to: sunrise}}, levels: {{"22:{n + 10}": {n + 1}}}}}' for n in range(20)
    ]
    groups = [f"  - {{id: q-{n}, plan: p-{n % 20}, lamps: {{street: S{n}}}}}" for n in range(200)]
    lamps = [f"m-{n},S{n},cab,twin,,led-40,," for n in range(200)]
    (site / "lamps.csv").write_text("\n".join([LAMPS.strip(), *lamps, ""]), encoding="utf-8")
    text = SITE.format(port=1)
    for head, more in (("programs:", programs), ("plans:", plans), ("groups:", groups)):
        text = re.sub(f"^{head}$", "\n".join([head, *more]), text, flags=re.MULTILINE)
    (site / "site.yaml").write_text(text, encoding="utf-8")
    started = perf_counter()
    picture = drawn(site, "--on", "2026-01-01")
    assert perf_counter() - started < 30.0  # 2 s on an idle machine; three suites share two cores
    assert len([panel for panel in picture.panels if panel.targets[0].startswith("group/q-")]) == 20


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--svg", "/nowhere/year.svg"], 1, "/nowhere/year.svg cannot be written: No such file or directory"),
        (["--svg", "-", "--json"], 2, "only one of --json, --csv - and --svg -"),
        (["--svg", "-", "--csv", "-"], 2, "only one of --json, --csv - and --svg -"),
        (["--svg", "-", "--of", "clases"], 1, 'did you mean "classes"?'),
        (["--svg", "-", "--on", "2200-01-01"], 2, "the year 2200 is not within 1970 to 2199"),
    ],
)
def test_a_wrong_question_is_answered_in_words(site: Path, arguments: list[str], code: int, words: str) -> None:
    result = run(site, *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
