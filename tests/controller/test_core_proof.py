"""A whole night through the core, its proof against a witness of its own, the chain of seals, restarts and reloads."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from config.site import Group
from controller.core.commands import Command
from controller.core.cycle import adopt, cycle
from controller.core.proof import canonical
from controller.core.wiring import Wiring
from schedules import sun
from schedules.cuts import cuts
from tests.controller.cabinets import RELAYS, village
from tests.controller.field import Field
from tests.controller.nights import CountingField, proof, records
from tests.controller.towns import PLACE, at, lean, town, without_lamp

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOON, NEXT, NIGHT = at("2026-01-12 12:00"), at("2026-01-13 12:00"), "2026-01-12"


def command(target: str, now: datetime, name: str = "c-1", **fields: object) -> Command:
    kind, _, identity = target.partition("/")
    return Command(name, kind, identity, now, reason="fête", by="anne", **fields)  # type: ignore[arg-type]


class Witness:
    """Looks at what was last read and commanded after each poll, and keeps its own sums, second by second."""

    def __init__(self, field: Field, group: str) -> None:
        self.field, self.group = field, field.wiring.site.groups[group]
        self.sums: Counter[tuple[str, str, str]] = Counter()
        self._sunset, self._sunrise = (f(NOON.date(), PLACE, sun.SUNRISE_DEG) for f in (sun.evening, sun.morning))

    def look_until(self, moment: datetime, every: timedelta = MINUTE) -> None:
        """Let time pass; what is so after a poll is so until the next."""
        while self.field.now < moment:
            states, begin = [self._state(lamp) for lamp in self.group.lamps], self.field.now
            self.field.until(min(moment, begin + every), every)
            phases = Counter(self._phase(moment) for moment in self._seconds(begin))
            for phase, seconds in phases.items():
                for state in states:
                    self.sums[phase, *state] += seconds

    def _seconds(self, begin: datetime) -> list[datetime]:
        span = round((self.field.now - begin).total_seconds())
        return [begin + timedelta(seconds=second) for second in range(span)]

    def _state(self, lamp_id: str) -> tuple[str, str]:
        lamp = self.field.wiring.site.lamps[lamp_id]
        wanted = "lit" if self.field.state.outputs[f"lamp/{lamp_id}"].slots[0][1] else "dark"
        if lamp.device in self.field.silent:
            return wanted, "unknown"
        power = self.field.state.image[lamp.device].readings[f"lamp.{lamp.address}.power"]
        return wanted, "lit" if power.value > 6.0 else "dark"

    def _phase(self, moment: datetime) -> str:
        assert isinstance(self._sunset, datetime)
        assert isinstance(self._sunrise, datetime)
        if not self._sunset <= moment < self._sunrise:
            return "day"
        plan = self.group.plan
        return "cut" if any(cut.start <= moment < cut.end for cut in cuts(plan, NOON.date())) else "night"


def started(moment: datetime = NOON) -> CountingField:
    field = CountingField(Wiring(lean(town())), moment)
    field.start()
    return field


@pytest.mark.parametrize("seed", range(3))
def test_a_night_of_faults_and_commands_is_what_a_witness_saw(seed: int) -> None:
    chance, field = Random(seed), started()
    witness = Witness(field, "centre-ville")
    moment = NOON
    while (moment := moment + timedelta(minutes=chance.randint(20, 200))) < NEXT:
        witness.look_until(moment)
        lamp = chance.randint(1, 4)
        match chance.randint(0, 4):
            case 0:
                field.silent.symmetric_difference_update({"cab-mairie"})
            case 1:
                field.pinned["cab-mairie", f"lamp.{lamp}.power"] = chance.choice([0.5, 40.0])
            case 2:
                field.pinned.clear()
            case 3:
                level = float(chance.choice([0, 100]))
                field.feed(command(f"lamp/m-{lamp}", moment, f"c-{moment}", value=level, lasting=HOUR))
            case _:
                field.feed(command("group/centre-ville", moment, f"c-{moment}", value=30.0, lasting=HOUR))
        field.poll()
    witness.look_until(NEXT)
    page = proof(field, "centre-ville", NIGHT)
    cells = {
        (phase, wanted, seen): seconds
        for phase, commands in page["member_seconds"].items()
        for wanted, measured in commands.items()
        for seen, seconds in measured.items()
        if seconds
    }
    assert cells == witness.sums
    assert sum(cells.values()) == 4 * 86_400
    assert page["hours"]["lit"] + page["hours"]["dark"] + page["hours"]["unknown"] == pytest.approx(24.0)


def test_the_figures_of_a_quiet_night_are_those_of_the_plan() -> None:
    field = started()
    field.until(NEXT + MINUTE, every=MINUTE)
    page = proof(field, "centre-ville", NIGHT)
    assert page["cut"] == {
        "decided_h": 4.5, "dark_h": pytest.approx(4.5, abs=0.02), "lit_by_command_h": 0,
        "lit_against_command_h": pytest.approx(0.0, abs=0.02), "unknown_h": 0,
    }  # fmt: skip
    assert page["cuts"] == [{"from": "2026-01-12T23:30:00Z", "to": "2026-01-13T04:00:00Z"}]
    assert [each["level"] for each in page["commanded"]] == [0, 100, 60, 0, 60, 0]
    assert [(each["lit"], each["dark"]) for each in page["measured"]] == [(0, 4), (4, 0), (0, 4), (4, 0), (0, 4)]
    assert page["availability"] == pytest.approx(1.0, abs=0.01)
    assert (page["data_quality"], page["deviations"], page["interventions"]) == (1, [], [])
    assert page["programs"] == [
        {"from": "2026-01-12T11:00:00Z", "plan": "centre", "program": "centre", "rule": "default"}
    ]
    assert page["energy"]["saved_kwh"] == pytest.approx(page["energy"]["baseline_kwh"] - page["energy"]["used_kwh"])


def test_the_night_event_tells_the_figures_and_the_hashes() -> None:
    field = started()
    field.until(NEXT + MINUTE, every=MINUTE)
    (event,) = (each for each in field.events if each.name == "night" and each.target == "group/centre-ville")
    (kept,) = (each for each in records(field, "proof", NIGHT) if each.target == "group/centre-ville")
    (seal,) = records(field, "night", NIGHT)
    assert (event.facts["proof"], event.facts["seal"]) == (kept.sha256, seal.sha256)
    assert (event.facts["cut_h"], event.facts["deviations"], event.facts["data_quality"]) == (4.5, 0, 1.0)
    assert {"night", "lamps", "energy_kwh", "lit_h", "dark_h", "baseline_kwh", "saved_kwh"} <= set(event.facts)


def test_every_page_is_canonical_and_the_nights_form_a_chain() -> None:
    field = started()
    field.until(NEXT + timedelta(days=2), every=timedelta(minutes=10))
    nights = records(field, "night")
    assert [each.night for each in nights] == ["2026-01-12", "2026-01-13", "2026-01-14"]
    kept = {each.sha256: each for step in field.steps for each in step.journal.records}
    for previous, night in zip([None, *nights], nights, strict=False):
        page = json.loads(night.payload)
        assert page["previous"] == (previous.sha256 if previous else None)
        assert set(page["proofs"]) == {"group/centre-ville", "group/gare"}
        for sha256 in (*page["proofs"].values(), page["accounts"]):
            assert json.loads(kept[sha256].payload)["night"] == night.night
    for record in kept.values():
        assert canonical(json.loads(record.payload)) == record.payload
        assert hashlib.sha256(record.payload.encode()).hexdigest() == record.sha256


def test_a_lamp_that_burns_in_the_cut_is_a_deviation_with_its_name() -> None:
    field = started()
    field.until(at("2026-01-13 01:00"), every=MINUTE)
    field.pinned["cab-mairie", "lamp.3.power"] = 40.0
    field.until(at("2026-01-13 02:00"), every=MINUTE)
    field.pinned.clear()
    field.until(NEXT + MINUTE, every=MINUTE)
    page = proof(field, "centre-ville", NIGHT)
    (deviation,) = page["deviations"]
    assert (deviation["kind"], deviation["what"]) == ("lit-against-command", "commanded dark, 1 of 4 lit")
    assert deviation["names"] == ["lamp/m-3"]
    assert page["cut"]["lit_against_command_h"] == pytest.approx(0.25, abs=0.02)
    assert page["alarms"] == {"lampUnexpectedOn": 1}


def test_overrides_are_told_with_their_reason_and_end_and_go_on_into_the_next_night() -> None:
    field = started()
    field.until(at("2026-01-13 01:00"), every=MINUTE)
    field.feed(command("group/centre-ville", field.now, value=100.0, lasting=HOUR))
    field.until(at("2026-01-13 11:00"), every=MINUTE)
    field.feed(command("lamp/m-1", field.now, "c-2", value=50.0, lasting=3 * HOUR))
    field.until(NEXT + timedelta(days=1, minutes=5), every=timedelta(minutes=10))
    first, last = proof(field, "centre-ville", NIGHT)["interventions"]
    assert (first["target"], first["value"], first["by"], first["reason"]) == (
        "group/centre-ville",
        100,
        "anne",
        "fête",
    )
    assert (first["from"], first["to"]) == ("2026-01-13T00:00:00Z", "2026-01-13T01:00:00Z")
    assert (last["target"], last["to"]) == ("lamp/m-1", None)
    (carried,) = proof(field, "centre-ville", "2026-01-13")["interventions"]
    assert (carried["id"], carried["from"], carried["to"]) == ("c-2", "2026-01-13T10:00:00Z", "2026-01-13T13:00:00Z")
    assert proof(field, "centre-ville", NIGHT)["cut"]["lit_by_command_h"] == pytest.approx(1.0, abs=0.1)
    assert proof(field, "gare", NIGHT)["interventions"] == []


def test_an_override_that_ended_while_the_daemon_was_away_is_not_still_in_force() -> None:
    field = started()
    field.until(at("2026-01-12 20:00"), every=MINUTE)
    field.feed(command("group/centre-ville", field.now, value=50.0, lasting=timedelta(minutes=30)))
    field.until(at("2026-01-12 20:10"), every=MINUTE)
    again = CountingField(field.wiring, at("2026-01-12 21:30"), held=dict(field.held))
    again.start(field.saved())
    again.until(NEXT + MINUTE)
    (entry,) = proof(again, "centre-ville", NIGHT)["interventions"]
    assert entry["to"] == "2026-01-12T19:10:00Z", "when the daemon was last alive"


def test_a_restart_in_the_night_loses_only_the_time_that_the_daemon_was_away() -> None:
    field = started()
    field.until(at("2026-01-12 20:00"), every=MINUTE)
    saved = field.saved()
    again = CountingField(field.wiring, at("2026-01-12 21:30"), held=dict(field.held))
    again.start(saved)
    again.until(NEXT + MINUTE, every=MINUTE)
    page = proof(again, "centre-ville", NIGHT)
    assert page["member_seconds"]["night"]["nobody"]["unknown"] == 4 * 90 * 60
    assert page["hours"]["unknown"] == 1.5
    assert page["hours"]["lit"] == pytest.approx(15.25 - 4.5 - 1.5, abs=0.05)
    (deviation,) = page["deviations"]
    assert (deviation["kind"], deviation["from"], deviation["to"]) == (
        "gateway-away", "2026-01-12T19:00:00Z", "2026-01-12T20:30:00Z",
    )  # fmt: skip
    assert [each["level"] for each in page["commanded"]][:4] == [0, 100, None, 100]
    assert page["energy"]["used_kwh"] > 1.0


def test_a_night_that_ended_while_the_daemon_was_away_is_closed_at_the_start() -> None:
    field = started()
    field.until(at("2026-01-13 03:00"), every=MINUTE)
    again = CountingField(field.wiring, at("2026-01-13 15:00"), held=dict(field.held))
    again.start(field.saved())
    page = proof(again, "centre-ville", NIGHT)
    assert page["hours"]["unknown"] == 9.0
    assert json.loads(records(again, "night", NIGHT)[0].payload)["previous"] is None
    again.until(at("2026-01-14 12:05"), every=MINUTE)
    assert proof(again, "centre-ville", "2026-01-13")["hours"]["unknown"] == 3.0
    assert json.loads(records(again, "night")[-1].payload)["previous"] == records(again, "night", NIGHT)[0].sha256


def test_the_first_night_begins_with_what_nobody_knows() -> None:
    field = started(at("2026-01-12 18:00"))
    field.until(NEXT + MINUTE, every=MINUTE)
    page = proof(field, "gare", NIGHT)
    assert page["hours"]["unknown"] == 6.0
    assert (page["data_quality"], page["previous"]) == (0.75, None)


def test_a_machine_that_slept_through_noon_knows_nothing_of_it() -> None:
    field = started()
    field.until(at("2026-01-13 11:00"), every=MINUTE)
    field.now = at("2026-01-13 15:00")
    field.poll()
    unknown = proof(field, "gare", NIGHT)["hours"]["unknown"]
    assert unknown == pytest.approx(1.0, abs=0.1)
    field.until(at("2026-01-14 12:05"), every=MINUTE)
    assert proof(field, "gare", "2026-01-13")["hours"]["unknown"] == pytest.approx(3.0, abs=0.1)


def test_a_clock_that_was_set_back_over_noon_begins_that_night_anew() -> None:
    field = started()
    field.until(at("2026-01-13 13:00"), every=MINUTE)
    field.now = at("2026-01-13 09:00")
    field.poll()
    field.until(NEXT + MINUTE, every=MINUTE)
    latest = proof(field, "gare", NIGHT)
    assert latest["hours"]["unknown"] == 21.0
    assert len(records(field, "night", NIGHT)) == 2, "nothing is taken back: both stand"


def test_a_small_step_back_changes_no_sum() -> None:
    field = started()
    field.until(at("2026-01-12 20:00"), every=MINUTE)
    field.now -= timedelta(seconds=40)
    field.poll()
    field.until(NEXT + MINUTE, every=MINUTE)
    page = proof(field, "gare", NIGHT)
    assert page["hours"]["unknown"] == 0
    assert page["hours"]["lit"] == pytest.approx(15.25, abs=0.05)


def test_a_reload_goes_on_with_the_night() -> None:
    field = started()
    field.until(at("2026-01-12 22:00"), every=MINUTE)
    site = without_lamp(field.wiring.site, "m-4")
    site = replace(site, groups={**site.groups, "neu": Group("neu", site.groups["gare"].plan, (), ("gare-a",))})
    field.wiring = Wiring(site)
    field.take(adopt(field.wiring, field.state, field.now))
    field.until(NEXT + MINUTE, every=MINUTE)
    page = proof(field, "centre-ville", NIGHT)
    assert (page["members"], page["hours"]["unknown"], page["hours"]["lit"]) == (3, 0, pytest.approx(10.77, abs=0.3))
    assert proof(field, "neu", NIGHT)["hours"]["unknown"] == 10.0


def test_without_nodes_the_contactors_feedback_is_the_proof() -> None:
    field = Field(Wiring(village()), at("2026-11-23 11:50"))
    field.start()
    field.until(at("2026-11-24 02:00"), every=timedelta(seconds=20))
    field.pinned[RELAYS, "segment.1.feedback"] = 1.0
    field.until(at("2026-11-24 02:30"), every=timedelta(seconds=20))
    field.pinned.clear()
    field.until(at("2026-11-24 12:05"), every=timedelta(seconds=20))
    page = proof(field, "rues", "2026-11-23")
    assert page["without_node"] == page["members"] == 40
    assert page["cut"]["dark_h"] == pytest.approx(page["cut"]["decided_h"] - 0.25, abs=0.05)
    (deviation,) = page["deviations"]
    assert (deviation["kind"], deviation["members"], len(deviation["names"])) == ("lit-against-command", 20, 5)
    assert page["energy"]["by"] == {"profile": 40}
    assert page["energy"]["used_kwh"] > 1.0


def test_a_dead_node_behind_an_open_contactor_is_dark_for_certain() -> None:
    field = CountingField(Wiring(town()), NOON)
    field.start()
    field.until(at("2026-01-13 01:00"), every=MINUTE)
    for quantity in ("level", "power"):
        field.held["cab-mairie", "lamp.1.silent"] = 1.0
        field.pinned["cab-mairie", f"lamp.1.{quantity}"] = 0.0
    field.until(NEXT + MINUTE, every=MINUTE)
    page = proof(field, "centre-ville", NIGHT)
    assert page["cut"]["unknown_h"] == 0
    once_fed_h = 3.58 / 4
    assert page["hours"]["unknown"] == pytest.approx(once_fed_h, abs=0.05), "with mains, nobody knows"


def test_a_night_costs_nothing_while_nothing_changes() -> None:
    field = started()
    field.until(at("2026-01-12 18:00"), every=MINUTE)
    state = field.state
    step = cycle(field.wiring, state, (), field.now + MINUTE / 60)
    assert step.state.ledgers is state.ledgers
    assert step.state.noon is state.noon
    assert not step.journal.ledgers
