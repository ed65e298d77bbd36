"""The reporter over the real core: what stands retained, what is said once, what goes to history."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from controller.core.commands import Command, Refusal
from controller.core.cycle import adopt, cycle
from controller.core.state import Step
from controller.core.wiring import Wiring
from controller.mqtt.outbox import Fresh, Outbox, Payload
from controller.mqtt.topics import Topics
from controller.reporter import Reporter
from drivers.api import Fault, PointId, Quality
from tests.controller.field import Field
from tests.controller.towns import at, town, without_lamp

ROOT = "veilleuse/valbourg"
MINUTE = timedelta(minutes=1)


class Told(Field):
    """A field whose every step is reported; ``flow`` is what was published retained, in order."""

    def __init__(self, wiring: Wiring, now: datetime) -> None:
        super().__init__(wiring, now)
        self.outbox = Outbox()
        self.reporter = Reporter(wiring, Topics("veilleuse", "valbourg"), self.outbox)
        self.flow: list[Fresh] = []

    def take(self, step: Step) -> None:
        self.reporter.report(step, self.now)
        self.send()
        super().take(step)

    def send(self) -> None:
        """The broker takes all that is retained."""
        fresh = self.outbox.fresh(100_000)
        self.flow.extend(fresh)
        self.outbox.confirm(fresh)

    def published(self, topic: str) -> list[Payload | None]:
        """Everything published retained to a topic below the site's root since ``flow`` was last cleared."""
        return [each.payload for each in self.flow if each.topic == f"{ROOT}/{topic}"]

    def letters(self, topic: str) -> list[Payload]:
        """The events or results that wait at a topic."""
        return [letter.payload for letter in self.outbox.letters(10_000) if letter.topic == f"{ROOT}/{topic}"]


@pytest.fixture
def told() -> Told:
    told = Told(Wiring(town()), at("2026-01-12 18:00"))
    told.start()
    return told


def command(target: str, value: float, now: datetime, name: str = "c-1") -> Command:
    return Command(name, "lamp", target, now, value=value, lasting=timedelta(hours=1), reason="test", by="ops")


def test_everything_that_has_a_topic_stands_retained_from_the_start(told: Told) -> None:
    states = {topic.removeprefix(f"{ROOT}/").removesuffix("/state") for topic in told.outbox.world}
    assert states == set(told.wiring.device_of)
    assert {key.partition("/")[0] for key in states} == {"lamp", "segment", "cabinet", "meter", "zone", "building"}


def test_a_state_that_did_not_change_is_not_told_again(told: Told) -> None:
    told.advance(2 * MINUTE, every=timedelta(seconds=5))
    told.flow.clear()
    told.advance(5 * MINUTE, every=timedelta(seconds=5))
    assert [fresh.topic for fresh in told.flow] == []


def test_a_change_is_told_at_once_and_only_where_it_happened(told: Told) -> None:
    told.advance(2 * MINUTE)
    told.flow.clear()
    told.held["cab-mairie", "lamp.1.power"] = 33.3
    told.poll()
    assert {fresh.topic for fresh in told.flow} == {f"{ROOT}/lamp/m-1/state"}
    (payload,) = told.published("lamp/m-1/state")
    assert payload is not None
    assert payload["power_w"] == 33.3
    assert payload["ts"] == "2026-01-12T17:02:00Z"


def test_a_reading_that_lost_its_trust_is_told_though_its_value_stayed(told: Told) -> None:
    told.advance(MINUTE)
    for quality in (Quality.UNCERTAIN, Quality.GOOD):
        told.flow.clear()
        told.now += timedelta(seconds=5)
        told.feed(told.reading("cab-gare", "lamp.1.level")._replace(quality=quality))
        assert [payload["quality"] for payload in told.published("lamp/g-1/state") if payload] == [quality.value]


def test_a_contactor_that_never_closed_is_told_once_it_is_late() -> None:
    field = Told(Wiring(town()), at("2026-01-12 17:10"))
    field.pinned["cab-gare", "segment.1.feedback"] = 0.0
    field.start()
    field.until(at("2026-01-12 17:25"), every=timedelta(seconds=5))
    writes = [payload["write"] for payload in field.published("segment/gare-a/state") if payload]
    assert writes[-2:] == ["applied", "no-feedback"]


def test_hours_that_only_we_count_are_told_as_they_pass() -> None:
    """Nodes without a counter of their own: nothing that they answer changes."""
    site = town()
    gare = site.devices["cab-gare"]
    points = {name: each for name, each in gare.profile.points.items() if not name.endswith((".energy", ".burning"))}
    plain = replace(
        gare, profile=replace(gare.profile, points=points), points=tuple(p for p in gare.points if p in points)
    )
    told = Told(Wiring(replace(site, devices={**site.devices, "cab-gare": plain})), at("2026-01-12 18:00"))
    told.start()
    told.advance(timedelta(hours=1), every=timedelta(seconds=10))
    payloads = [payload for payload in told.published("lamp/g-1/state") if payload]
    assert payloads[-1]["burning_h"] == pytest.approx(1.0, abs=0.02)
    assert payloads[-1]["energy_kwh"] == pytest.approx(0.04, abs=0.002)
    assert len(payloads) > 90, "a hundredth of an hour is 36 s"


def test_each_state_is_told_again_once_a_heartbeat(told: Told) -> None:
    told.advance(MINUTE)
    told.flow.clear()
    told.advance(timedelta(hours=1), every=timedelta(seconds=30))
    for key in told.wiring.device_of:
        assert 3 <= len(told.published(f"{key}/state")) <= 5, key


def test_heartbeats_go_on_after_the_clock_was_set_back(told: Told) -> None:
    told.now -= timedelta(days=14)
    told.poll()
    told.flow.clear()
    told.advance(timedelta(minutes=16))
    assert len(told.published("cabinet/mairie/state")) >= 1


def test_the_next_heartbeat_is_known(told: Told) -> None:
    due = told.reporter.next_beat()
    assert due is not None
    assert told.now < due <= told.now + timedelta(seconds=900)


def test_nothing_told_means_no_heartbeat() -> None:
    assert Reporter(Wiring(town()), Topics("v", "s"), Outbox()).next_beat() is None


def test_an_alarm_stands_while_it_is_active_and_is_cleared_after(told: Told) -> None:
    topic = "alarm/cabinet/mairie/cabinetDoorOpen"
    told.held["cab-mairie", "door"] = 1.0
    told.poll()
    payload = told.outbox.world[f"{ROOT}/{topic}"]
    assert (payload["event"], payload["severity"]) == ("cabinetDoorOpen", "minor")
    told.held["cab-mairie", "door"] = 0.0
    told.advance(5 * MINUTE)
    assert f"{ROOT}/{topic}" not in told.outbox.world
    published = told.published(topic)
    assert published[-1] is None, "an empty payload clears the topic"
    assert len(published) == 2


def test_every_transition_is_an_event_once(told: Told) -> None:
    told.held["cab-mairie", "door"] = 1.0
    told.poll()
    told.silent.add("cab-gare")
    told.advance(MINUTE)
    events = [(each["name"], each["target"]) for each in told.letters("event")]
    assert events.count(("device-online", "device/cab-gare")) == 1
    assert events.count(("device-offline", "device/cab-gare")) == 1
    alarms = [each for each in told.letters("event") if each["name"] == "alarm"]
    assert {(each["target"], each["event"], each["state"]) for each in alarms} >= {
        ("cabinet/mairie", "cabinetDoorOpen", "raised")
    }
    assert [each["seq"] for each in told.letters("event")] == sorted(
        {int(str(e["seq"])) for e in told.letters("event")}
    )


def test_an_event_in_the_log_warns_of_trouble_and_keeps_its_name() -> None:
    with capture_logs() as logs:
        told = Told(Wiring(town()), at("2026-01-12 18:00"))
        told.start()
        told.held["cab-mairie", "door"] = 1.0
        told.poll()
        told.silent.add("cab-gare")
        told.poll()
    levels = {(line["event"], line["target"]): line["log_level"] for line in logs}
    assert levels["device-online", "device/cab-gare"] == "info"
    assert levels["device-offline", "device/cab-gare"] == "warning"
    assert levels["alarm", "cabinet/mairie"] == "warning"
    assert {line.get("alarm") for line in logs if line["event"] == "alarm"} == {"cabinetDoorOpen"}


def test_what_another_alarm_explains_does_not_shout() -> None:
    with capture_logs() as logs:
        told = Told(Wiring(town()), at("2026-01-12 18:00"))
        told.start()
        told.silent.add("cab-gare")
        told.advance(timedelta(minutes=2))
    levels = {line["target"]: line["log_level"] for line in logs if line["event"] == "alarm"}
    assert levels == {"cabinet/gare": "warning", "meter/gare-mains": "info"}
    topic = "alarm/meter/gare-mains/communicationFailure"
    assert (told.published(topic)[-1] or {})["suppressed_by"] == "cabinet/gare/communicationFailure"
    events = [each for each in told.letters("event") if each["name"] == "alarm"]
    assert [each.get("suppressed_by") for each in events] == [None, "cabinet/gare/communicationFailure"]


def test_the_outcome_of_each_command_goes_to_its_result_topic(told: Told) -> None:
    told.feed(command("m-1", 40.0, told.now))
    told.feed(Refusal("c-2", "lamp", "m-1", "retained", told.now))
    applied, refused = told.letters("lamp/m-1/result")
    assert applied == {"id": "c-1", "outcome": "applied", "detail": "", "ts": "2026-01-12T17:00:00Z"}
    assert (refused["id"], refused["outcome"], refused["detail"]) == ("c-2", "refused", "retained")
    events = {each["name"] for each in told.letters("event")}
    assert events >= {"override-set", "command-refused"}


def test_what_a_new_configuration_no_longer_has_is_cleared(told: Told) -> None:
    told.advance(5 * MINUTE)
    told.held["cab-gare", "lamp.2.power"] = 0.0
    told.advance(5 * MINUTE)
    alarm = f"{ROOT}/alarm/lamp/g-2/lampFailure"
    assert alarm in told.outbox.world
    told.wiring = Wiring(without_lamp(town(), "g-2"))
    told.flow.clear()
    told.reporter.rewired(told.wiring)
    told.take(adopt(told.wiring, told.state, told.now))
    assert f"{ROOT}/lamp/g-2/state" not in told.outbox.world
    assert told.published("lamp/g-2/state") == [None]
    assert alarm not in told.outbox.world, "nobody would ever clear it"
    assert told.published("alarm/lamp/g-2/lampFailure") == [None]
    assert {each["state"] for each in told.letters("event") if each["target"] == "lamp/g-2"} == {"raised", "cleared"}
    assert f"{ROOT}/lamp/g-1/state" in told.outbox.world
    told.advance(timedelta(hours=1))
    assert f"{ROOT}/lamp/g-2/state" not in told.outbox.world


def test_a_new_configuration_does_not_repeat_what_stays_the_same(told: Told) -> None:
    told.advance(2 * MINUTE)
    told.flow.clear()
    same = Wiring(town())
    told.reporter.rewired(same)
    told.wiring = same
    told.take(adopt(same, told.state, told.now))
    assert [fresh.topic for fresh in told.flow] == []


def test_samples_are_measured_values_of_good_quality(told: Told) -> None:
    told.advance(MINUTE)
    told.held["cab-mairie", "meter.power"] = 321.0
    told.poll()
    samples = {str(each["entity"]): each for each in told.reporter.samples(told.now)}
    assert set(samples) == set(told.wiring.device_of)
    assert samples["cabinet/mairie"]["power_w"] == 321.0
    counted = {"energy_kwh", "burning_h", "switch_ons"}
    assert set(samples["lamp/m-1"]) == {"entity", "ts", "level", "power_w", "temperature_c"} | counted
    assert set(samples["zone/ecole.classes"]) == {"entity", "ts", "temperature_c", "setpoint_c", "heating"}
    assert samples["segment/gare-a"]["on"] is True


def test_no_sample_of_what_is_not_known(told: Told) -> None:
    told.silent.add("cab-gare")
    told.poll()
    told.feed(Fault(PointId("cab-mairie", "lamp.1.level"), "no value", told.now))
    entities = {str(each["entity"]) for each in told.reporter.samples(told.now)}
    assert not {key for key in entities if told.wiring.device_of[key] == "cab-gare"}
    assert "lamp/m-1" not in entities
    assert "lamp/m-2" in entities


def test_a_reading_that_grows_old_is_told_and_sampled_no_more(told: Told) -> None:
    told.flow.clear()
    told.now += timedelta(minutes=5)  # nothing was heard, not even silence
    told.take(cycle(told.wiring, told.state, (), told.now))
    (payload,) = told.published("lamp/g-1/state")
    assert payload is not None
    assert payload["quality"] == "stale"
    assert told.reporter.samples(told.now) == []


def test_one_reading_that_grows_old_among_fresh_ones_is_told(told: Told) -> None:
    told.advance(MINUTE)
    told.flow.clear()
    for _ in range(120):
        told.now += timedelta(seconds=5)
        told.feed(told.reading("cab-gare", "door"), told.reading("cab-gare", "lamp.2.level"))
    assert [payload["quality"] for payload in told.published("lamp/g-1/state") if payload][-1] == "stale"
    assert told.published("lamp/g-2/state") == []
    entities = {str(each["entity"]) for each in told.reporter.samples(told.now)}
    assert "lamp/g-2" in entities
    assert "lamp/g-1" not in entities


def test_ten_thousand_states_do_not_beat_all_in_one_call() -> None:
    base = town()
    lamps = {f"x-{n}": replace(base.lamps["m-1"], id=f"x-{n}", segment=None) for n in range(300)}
    told = Told(Wiring(replace(base, lamps=lamps, groups={}, meters={})), at("2026-01-12 18:00"))
    told.start()
    told.now += timedelta(hours=1)
    told.flow.clear()
    step = replace(told.steps[-1], changed=frozenset(), events=(), results=(), alarms=frozenset())
    told.reporter.report(step, told.now)
    told.send()
    assert 0 < len(told.flow) <= 50
    due = told.reporter.next_beat()
    assert due is not None
    assert due <= told.now, "the rest follows in the next calls"


def test_what_became_of_a_reload_is_an_event(told: Told) -> None:
    told.reporter.configuration("configuration-reloaded", told.now, config_hash="abc", lamps="+1 (l-2)")
    assert {**told.letters("event")[-1], "seq": 0} == {
        "ts": "2026-01-12T17:00:00Z",
        "name": "configuration-reloaded",
        "target": "site/valbourg",
        "config_hash": "abc",
        "lamps": "+1 (l-2)",
        "seq": 0,
    }
