"""What each fault does to a lit street: lamps, contactors, meter, and why it is dark where it is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.control import Control
from sim.fault_kinds import KINDS
from sim.town import Town
from tests.sim.towns import WINTER_EVENING, street

EVEN, ODD, ALWAYS = ("l-2", "l-4"), ("l-1", "l-3", "l-5"), ("l-6",)
ALL = (*EVEN, *ODD, *ALWAYS)


@pytest.fixture
def town() -> Town:
    """Segment 1 (phase 1) feeds lamps 1, 3, 5, segment 2 (phase 2) lamps 2, 4; lamp 6 hangs on phase 1."""
    town = Town.from_site(street(), seed=1, start=WINTER_EVENING)
    for contactor in town.lighting.contactors.values():
        contactor.commanded = True
    town.step(600.0)
    assert dark(town) == {}
    return town


def fault(town: Town, *lines: str) -> None:
    for line in lines:
        town.sabotage.break_(line.split(), town.now_s)
    town.step(60.0)


def told(town: Town) -> Any:
    return town.truth()


def dark(town: Town) -> dict[str, str]:
    """Lamps without light and why, as the truth tells it."""
    return {name: lamp["dark"] for name, lamp in told(town)["lamps"].items() if lamp["dark"] is not None}


def closed(town: Town) -> tuple[bool, bool]:
    first, second = town.lighting.contactors.values()
    return first.closed, second.closed


def all_of(lamps: tuple[str, ...], cause: str) -> dict[str, str]:
    return dict.fromkeys(lamps, cause)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cab supply-loss", all_of(ALL, "supply")),
        ("cab phase-loss 1", all_of((*ODD, *ALWAYS), "supply")),
        ("cab phase-loss 2", all_of(EVEN, "supply")),
        ("cab voltage 2 60", all_of(EVEN, "supply")),
        ("cab voltage 2 190", {}),
        ("seg-1 stuck open", all_of(ODD, "contactor")),
        ("seg-1 selector off", all_of(ODD, "contactor")),
        ("cab selector off", all_of((*ODD, *EVEN), "contactor")),
        ("seg-2 breaker", all_of(EVEN, "breaker")),
        ("seg-1 cut 2", all_of(("l-3", "l-5"), "cable")),
        ("seg-1 loop", {}),
        ("l-1 lamp open", {"l-1": "open"}),
        ("l-1 lamp short", {"l-1": "short"}),
        ("l-1 lamp gear-dark", {"l-1": "gear-dark"}),
        ("l-1 lamp node-silent", {}),
        ("cab door", {}),
    ],
)
def test_what_is_dark_and_why_until_it_is_repaired(town: Town, line: str, expected: dict[str, str]) -> None:
    fault(town, line)
    assert dark(town) == expected
    town.sabotage.repair(None)
    town.step(1200.0)
    assert dark(town) == {}
    assert told(town)["faults"] == []


def test_a_lamp_that_was_told_0_says_so(town: Town) -> None:
    town.lighting.lamps["l-2"].command_pct = 0.0
    town.step(60.0)
    assert dark(town) == {"l-2": "level"}


def test_a_cut_takes_current_but_no_voltage_and_leaves_the_contactor_alone(town: Town) -> None:
    before = told(town)["cabinets"]["cab"]
    fault(town, "seg-1 cut 2")
    after, contactor = told(town)["cabinets"]["cab"], told(town)["contactors"]["seg-1"]
    assert after["power_w"] < before["power_w"] - 100.0
    assert after["voltage_v"][0] > 220.0
    assert (contactor["closed"], contactor["loop_open"]) == (True, True)
    fault(town, "seg-1 loop")
    town.sabotage.repair("seg-1", "cut")
    assert told(town)["contactors"]["seg-1"]["loop_open"], "the loop has a fault of its own"


def test_a_hand_at_the_selector_is_not_the_command(town: Town) -> None:
    contactor = town.lighting.contactors["seg-1"]
    contactor.commanded = False
    fault(town, "seg-1 selector on")
    assert (contactor.commanded, contactor.closed) == (False, True)
    assert told(town)["contactors"]["seg-1"]["selector"] == "on"
    assert told(town)["cabinets"]["cab"]["selector"] == "auto"
    fault(town, "cab selector off")
    assert closed(town) == (True, False), "its own selector comes after the cabinet's"
    fault(town, "seg-1 selector auto")
    assert closed(town) == (False, False)
    fault(town, "cab selector auto")
    assert told(town)["faults"] == []
    assert closed(town) == (False, True)


def test_without_mains_contactors_let_go_but_welded_ones_and_the_meter_counts_nothing(town: Town) -> None:
    fault(town, "cab supply-loss", "seg-2 stuck closed")
    cabinet = town.cabinet("cab")
    assert [town.lighting.contactors[name].closed for name in ("seg-1", "seg-2")] == [False, True]
    before_wh = cabinet.meter.total_wh
    town.step(3600.0)
    assert cabinet.meter.total_wh == before_wh
    assert (cabinet.meter.hz, cabinet.meter.volts, cabinet.meter.total_w) == (0.0, [0.0, 0.0, 0.0], 0.0)


def test_two_phases_can_be_wrong_at_once_and_a_lost_one_stays_lost(town: Town) -> None:
    fault(town, "cab voltage 1 260", "cab voltage 2 195", "cab phase-loss 1")
    assert told(town)["cabinets"]["cab"]["voltage_v"][:2] == [0.0, 195.0]
    town.sabotage.repair("cab", "phase-loss")
    town.step(1.0)
    assert told(town)["cabinets"]["cab"]["voltage_v"][:2] == [260.0, 195.0]
    assert town.lighting.lamps["l-1"].volts == pytest.approx(260.0, abs=3.0)


def test_somebody_elses_load_shows_while_all_contactors_are_open(town: Town) -> None:
    for contactor in town.lighting.contactors.values():
        contactor.commanded = False
    town.step(60.0)
    quiet_w = town.cabinet("cab").meter.power_w[2]
    fault(town, "cab load 3 2000")
    assert town.cabinet("cab").meter.power_w[2] - quiet_w == pytest.approx(2000.0, rel=0.05)
    assert town.cabinet("cab").meter.current_a(2) > 8.0


def test_a_silent_node_keeps_its_lamp_and_hears_nothing(town: Town) -> None:
    fault(town, "l-2 lamp node-silent")
    town.lighting.lamps["l-2"].tell(10.0)
    town.step(60.0)
    lamp = told(town)["lamps"]["l-2"]
    assert (lamp["fed"], lamp["answers"], lamp["lit"], lamp["level_pct"]) == (True, False, True, 100.0)


def test_sensors_in_the_truth(town: Town) -> None:
    assert told(town)["photocells"]["cell"] == town.cabinet("cab").photocell.lux
    assert told(town)["presence"] == {"eye": False}
    fault(town, "cell photocell dark", "eye presence detect")
    assert told(town)["photocells"] == {"cell": 0.3}
    assert told(town)["presence"] == {"eye": True}
    fault(town, "eye presence detect for 30", "cell photocell silent")
    assert told(town)["presence"] == {"eye": False}, "thirty seconds are over"
    assert told(town)["photocells"] == {"cell": None}


def test_a_cabinet_answers_to_its_devices_name_and_its_own() -> None:
    site = street()
    named = replace(site, cabinets={"mairie": replace(site.cabinets["cab"], id="mairie")}, meters={})
    town = Town.from_site(named, seed=1, start=WINTER_EVENING)
    fault(town, "mairie door", "cab leakage")
    cabinet = town.cabinet("cab")
    assert (cabinet.door_open, cabinet.leakage) == (True, True)
    town.sabotage.repair("mairie")
    assert (cabinet.door_open, cabinet.leakage) == (False, True)


def test_the_manual_and_the_list_name_every_fault(town: Town) -> None:
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| [a-z, ]+ \|", page, re.MULTILINE)
    shown = set[str]()
    for row in rows:
        kind, _, rest = row.replace("\\|", "|").partition(" ")
        shown |= {f"{kind} {choice}".strip() for choice in rest.split("|")}
    wanted = {f"{kind.name} {usage}".strip() for kind in KINDS.values() for usage in kind.choices or (kind.arguments,)}
    assert wanted <= shown
    targets: Any = Control(town, lambda: None).obey("list")["targets"]
    assert targets["photocell"] == ["cell"]
    assert targets["presence sensor"] == ["eye"]
    assert targets["segment or cabinet"] == ["cab", "seg-1", "seg-2"]
