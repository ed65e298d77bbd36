"""What the tree says of Valbourg, by hand."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.load import SiteError, load_site
from config.site import Building, LampType, LawGuard, Meter, ModbusBus, OptimumStart, OverridePolicy, Segment, Timing
from config.starter import example_directory
from drivers.bacnet.settings import BacnetDevice
from drivers.modbus.settings import ModbusDevice
from schedules.allures import Setpoints
from schedules.occupancy import Interval
from schedules.sun import Place
from tests.config.conftest import Town


def test_valbourg_is_the_demos_town() -> None:
    site = load_site(example_directory("valbourg"), {})
    assert (site.id, site.name, site.country) == ("valbourg", "Ville de Valbourg", "FR")
    assert site.place == Place(50.291, 2.777, ZoneInfo("Europe/Paris"))
    assert (len(site.lamps), len(site.segments), len(site.cabinets), len(site.meters), len(site.zones)) == (
        48,
        6,
        3,
        2,
        4,
    )
    assert site.overrides == OverridePolicy(timedelta(hours=2), timedelta(hours=24))
    assert site.timing == Timing()
    assert {device.id: device.bus for device in site.devices.values()} == {
        "cab-mairie": "armoires", "cab-gare": "armoires", "cab-ecoles": "armoires",
        "compteur-ecole": "chaufferie", "compteur-gymnase": "chaufferie", "ecole-jaures": "gtb", "gymnase": "gtb",
    }  # fmt: skip
    assert site.devices["cab-gare"].settings == ModbusDevice(unit=1, address="127.0.0.1:5021")
    assert site.devices["gymnase"].settings == BacnetDevice(address="127.0.0.1:47811", instance=1202)
    line = site.buses["chaufferie"].settings
    assert isinstance(line, ModbusBus)
    assert (line.serial, line.baudrate, line.parity, line.stopbits) == ("rs485", 9600, "E", 1)


def test_lighting() -> None:
    site = load_site(example_directory("valbourg"), {})
    lamp = site.lamps["l-020"]
    assert (lamp.device, lamp.address, lamp.street, lamp.cabinet, lamp.segment) == (
        "cab-gare", 4, "Avenue de la Gare", "cab-gare", "gare-1",
    )  # fmt: skip
    table = ((0.0, 0.6), (10.0, 9.5), (30.0, 22.0), (50.0, 35.0), (75.0, 52.0), (100.0, 70.0))
    assert lamp.type == LampType("led-70", 70.0, 0.6, 10.0, table, 0.15)
    assert site.segments["gare-2"] == Segment("gare-2", "cab-gare", "cab-gare", 2, 3)
    assert site.cabinets["cab-gare"].segments == ("gare-1", "gare-2")
    assert site.groups["gare"].lamps == tuple(f"l-{n:03}" for n in range(17, 25))
    assert site.groups["centre-ville"].plan is site.plans["centre"]
    all_lamps = [lamp for group in site.groups.values() for lamp in group.lamps]
    assert sorted(all_lamps) == sorted(site.lamps)


def test_each_segment_has_eight_lamps_and_each_cabinet_two_phases() -> None:
    site = load_site(example_directory("valbourg"), {})
    for segment in site.segments:
        assert sum(lamp.segment == segment for lamp in site.lamps.values()) == 8
    for cabinet in site.cabinets.values():
        assert len({site.segments[segment].phase for segment in cabinet.segments}) == 2


def test_heating() -> None:
    site = load_site(example_directory("valbourg"), {})
    building = site.buildings["ecole-jaures"]
    assert isinstance(building, Building)
    assert (building.device, building.name) == ("ecole-jaures", "Groupe scolaire Jean-Jaurès")
    assert building.zones == ("ecole-jaures.classes", "ecole-jaures.maternelle", "ecole-jaures.cantine")
    assert building.law is LawGuard.WARN
    zone = site.zones["ecole-jaures.maternelle"]
    assert (zone.building, zone.device, zone.number) == ("ecole-jaures", "ecole-jaures", 2)
    assert zone.setpoints == Setpoints(19.0, 16.0, 8.0)
    assert zone.occupancy.weekly[0] == (Interval(time(8), time(17, 30)),)
    assert 5 not in zone.occupancy.weekly
    assert [calendar.id for calendar in zone.occupancy.closed] == ["feries", "vacances-b"]
    meeting = zone.occupancy.exceptions[0]
    assert (meeting.start, meeting.interval, meeting.occupied) == (
        date(2026, 11, 26), Interval(time(18), time(20, 30)), True,
    )  # fmt: skip
    assert site.meters["elec-ecole"] == Meter("elec-ecole", "compteur-ecole", None, "ecole-jaures")


def test_the_bounds_of_the_preheat(valbourg: Town) -> None:
    text = valbourg.path().read_text(encoding="utf-8")
    bounds = iter(["{cap: 2h30m, cap_after_vacancy: 2d, minutes_per_k: 12.5}", "{}", "{minutes_per_k: 7}"])
    valbourg.write(re.sub(r"        optimum_start: .*\n", lambda _: _line(next(bounds, "")), text))
    zones = load_site(valbourg.directory, {}).zones
    assert [zone.optimum_start for zone in zones.values()] == [
        OptimumStart(timedelta(hours=2.5), timedelta(days=2), 12.5),
        OptimumStart(),
        OptimumStart(minutes_per_k=7.0),
        None,
    ]


def _line(bounds: str) -> str:
    return f"        optimum_start: {bounds}\n" if bounds else ""


def test_a_device_polls_only_what_exists_there() -> None:
    site = load_site(example_directory("valbourg"), {})
    cabinet = site.devices["cab-mairie"].points
    assert {point.split(".")[1] for point in cabinet if point.startswith("lamp.")} == {str(n) for n in range(1, 17)}
    assert {point for point in cabinet if point.endswith(".command") and point.startswith("segment")} == {
        "segment.1.command", "segment.2.command",
    }  # fmt: skip
    assert {"door", "meter.power"} <= set(cabinet)
    school = site.devices["ecole-jaures"].points
    assert {point.split(".")[1] for point in school if point.startswith("zone.")} == {"1", "2", "3"}
    assert "boiler.status" in school


@pytest.mark.parametrize(
    ("day", "calendar", "label"),
    [
        (date(2026, 4, 6), "feries", "Lundi de Pâques"),
        (date(2027, 5, 6), "feries", "Ascension"),
        (date(2028, 6, 5), "feries", "Lundi de Pentecôte"),
        (date(2026, 12, 24), "feries", None),
        (date(2027, 2, 20), "vacances-b", "Hiver"),
        (date(2027, 3, 8), "vacances-b", None),
        (date(2028, 4, 23), "vacances-b", "Printemps"),
    ],
)
def test_calendars(day: date, calendar: str, label: str | None) -> None:
    site = load_site(example_directory("valbourg"), {})
    assert site.calendars[calendar].label_on(day) == label


def test_the_hash_follows_every_file(valbourg: Town) -> None:
    def now() -> str:
        return load_site(valbourg.directory, {}).config_hash

    before = now()
    assert len(before) == 12
    assert now() == before
    seen = {before}
    for name in ("site.yaml", "lamps.csv", "calendars/feries.csv", "calendars/reunions.csv"):
        valbourg.append("# a comment\n", name)
        seen.add(now())
    assert len(seen) == 5


def test_durations_and_timing(minimal: Town) -> None:
    minimal.append("timing: {heartbeat: 1h30m, feedback: 2.5s, sample: 1d}\noverrides: {cap: 2d}\n")
    site = load_site(minimal.directory, {})
    assert (site.timing.heartbeat_s, site.timing.feedback_s, site.timing.sample_s) == (5400.0, 2.5, 86400.0)
    assert site.timing.settle_s == Timing().settle_s
    assert site.overrides == OverridePolicy(timedelta(hours=2), timedelta(days=2))


def test_a_profile_of_the_sites_own(minimal: Town) -> None:
    minimal.write(
        "id: town-relay\ntitle: Relay\nprotocol: modbus\nsource: data sheet\nchecked: 2026-11-21\npoints:\n"
        "  segment.{n}.command: {n: 1..2, table: coil, address: 0, step: 1, type: bit, writable: true}\n",
        "profiles/town-relay.yaml",
    )
    minimal.change("profile: generic-cabinet", "profile: town-relay")
    lines = minimal.found()
    assert len(lines) == 4, "the profile has no lamps"
    assert lines[0] == "lamps.csv:3:44: error: address: profile town-relay has no lamps, not 1"


def test_what_is_wrong_in_an_own_profile_is_found_even_unused(minimal: Town) -> None:
    minimal.write(
        "id: town-relay\ntitle: Relay\nprotocol: modbus\nsource: x\nchecked: 2026-11-21\npoints:\n"
        "  door: {table: coil, adress: 0, type: bit}\n",
        "profiles/town-relay.yaml",
    )
    lines = minimal.found()
    assert lines[0].startswith("profiles/town-relay.yaml:7:")
    assert all(line.startswith("profiles/") for line in lines)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "site.yaml:1:1: error: the file is empty"),
        ("# nothing\n", "site.yaml:1:1: error: the file is empty"),
        ("[1, 2]\n", "site.yaml:1:1: error: the file: must be a mapping (key: value)"),
        ("hello\n", "site.yaml:1:1: error: the file: must be a mapping (key: value)"),
        ("a: [\n", "site.yaml:2:1: error: not valid YAML"),
        ("mqtt: {}\n", "site.yaml:1:1: error: site: missing"),
    ],
)
def test_a_file_that_is_no_site(minimal: Town, text: str, start: str) -> None:
    minimal.write(text)
    assert minimal.found()[0].startswith(start)


def test_a_directory_without_site_yaml(minimal: Town) -> None:
    minimal.path().unlink()
    with pytest.raises(SiteError, match=r"site\.yaml: error: .*site\.yaml cannot be read: No such file"):
        load_site(minimal.directory, {})


def test_a_broken_thing_is_not_reported_again_where_it_is_named(valbourg: Town) -> None:
    """A program with a wrong moment, a device with a wrong unit, a calendar without its file: one error each."""
    valbourg.change('start: 100, "22:30": 60', 'start: 100, "22:70": 60')
    valbourg.change("unit: 10,", "unit: ten,")
    valbourg.change("csv: calendars/vacances-zone-b.csv", "cvs: calendars/vacances-zone-b.csv")
    messages = [problem.message for problem in valbourg.problems()]
    assert [message.partition(":")[0] for message in messages] == [
        "devices.compteur-ecole.unit",
        "calendars.vacances-b.cvs",
        "programs.centre.levels.22",
    ]
