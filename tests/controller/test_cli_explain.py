"""``veilleuse explain``: from the plan at a time, and from what a running daemon has told a real broker."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from click.testing import CliRunner, Result

from config.load import load_site
from controller.cli import asking, cli
from controller.core.cycle import begin
from controller.core.journal import Override, Saved
from controller.core.report import state_of
from controller.core.wiring import Wiring
from tests.broker import Broker
from tests.controller.sites import write_site
from tests.controller.towns import at

ROOT = "towns/bourg"
NIGHT = at("2026-11-23 23:00")
MORNING = at("2026-11-24 06:00")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose broker nobody runs."""
    return write_site(tmp_path / "site")


@pytest.fixture
def live(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site whose broker is there, and so near that the silence after its answer may be short."""
    monkeypatch.setattr(asking, "_QUIET_S", 0.1)
    return write_site(tmp_path / "site", broker.port)


def run(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", str(site), *arguments])


def facts(site: Path, *arguments: str) -> dict[str, Any]:
    result = run(site, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def leave(broker: Broker, topics: dict[str, object]) -> None:
    """Let payloads stand retained below the site's root, as a daemon would; text goes as it is."""

    async def publish() -> None:
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            for topic, payload in topics.items():
                body = payload if isinstance(payload, str) else json.dumps(payload)
                await client.publish(f"{ROOT}/{topic}", body, qos=1, retain=True)

    asyncio.run(publish())


def told(site: Path, key: str, now: datetime, saved: Saved | None = None, /, **seen: object) -> dict[str, object]:
    """The payload that a daemon of ``site`` tells of ``key``, with what it would have ``seen``."""
    wiring = Wiring(load_site(site))
    return {**state_of(wiring, begin(wiring, saved or Saved(), now).state, key, now), **seen}


def test_a_lamp_by_the_plan_of_a_time(site: Path) -> None:
    found = facts(site, "lamp/l-001", "--at", "2026-11-23T23:00")
    assert found == {
        "target": "lamp/l-001",
        "at": "2026-11-23T23:00:00+01:00",
        "source": "plan",
        "note": None,
        "winner": {
            "priority": 13,
            "source": "plan",
            "value": 60.0,
            "reason": "plan rues: 22:30 (default)",
            "until": "2026-11-24T00:30:00+01:00",
        },
        "losers": [
            {
                "priority": 17,
                "source": "relinquish-default",
                "value": 0.0,
                "reason": "no plan and no override",
                "until": None,
            }
        ],
        "grounds": {
            "street": "Rue du Port",
            "segment": "s-1",
            "cabinet": "cab",
            "group": "rues",
            "plan": "rues",
            "night": "2026-11-23",
            "rule": "default",
            "program": "coupure",
            "next_change": {
                "at": "2026-11-24T00:30:00+01:00",
                "level": 0.0,
                "reason": "plan rues: 00:30 (default)",
            },
        },
    }


def test_a_lamp_in_words(site: Path) -> None:
    lines = run(site, "l-001", "--at", "2026-11-28T23:00").stdout.splitlines()
    assert lines[0] == "lamp/l-001 shall be 100 %, by the plan at Sat 2026-11-28 23:00:00 (Europe/Paris)"
    assert [line.split("  ")[1].split() for line in lines[2:4]] == [["wins"], ["loses"]]
    assert "until Sun 2026-11-29 08:24  plan rues: sunset (sat)" in lines[2]
    assert "    rule         sat" in lines
    assert "    program      pleine" in lines
    assert lines[-1] == "    next change  Sun 2026-11-29 08:24 to 0 %: plan rues: off after sunrise (sat)"


def test_a_contactor_names_the_lamps_that_it_follows(site: Path) -> None:
    found = facts(site, "s-1", "--at", "2026-11-24T01:00")
    assert (found["winner"]["value"], found["winner"]["reason"]) == (
        1.0,
        "feeds lamps at 100 %: plan place: sunset (default)",
    )
    assert (found["grounds"]["lamps"], found["grounds"]["groups"]) == (3, ["rues", "place"])
    assert "shall be closed" in run(site, "s-1", "--at", "2026-11-24T01:00").stdout
    assert facts(site, "s-2", "--at", "2026-11-24T01:00")["winner"]["value"] == 0.0


def test_a_zone_names_its_opening_and_the_bounds_of_its_preheat(site: Path) -> None:
    found = facts(site, "classes", "--at", "2026-11-24T07:10")
    assert [(wish["source"], wish["value"]) for wish in (found["winner"], *found["losers"])] == [
        ("optimum-start", 19.0),
        ("plan", 16.0),
        ("relinquish-default", 16.0),
    ]
    grounds = found["grounds"]
    assert (grounds["occupied"], grounds["occupancy_reason"]) == (False, "vacant 14.5 h until Tue 08:00")
    assert grounds["next_opening"] == "2026-11-24T08:00:00+01:00"
    assert grounds["optimum_start"] == {
        "by": "site-files",
        "expected": "2026-11-24T07:00:00+01:00",
        "earliest": "2026-11-24T05:00:00+01:00",
        "minutes_per_k": 20.0,
        "from_c": 16.0,
        "measured": False,
    }
    text = run(site, "classes", "--at", "2026-11-24T07:10").stdout
    assert "Tue 2026-11-24 07:00, at the earliest Tue 2026-11-24 05:00 (with nothing learnt: room at 16 °C," in text


def test_an_occupied_zone_looks_at_the_vacancy_to_come(site: Path) -> None:
    found = facts(site, "ecole.classes", "--at", "2026-11-27T10:00")["grounds"]
    assert (found["occupied"], found["next_opening"]) == (True, "2026-11-30T08:00:00+01:00")
    assert found["optimum_start"]["expected"] == "2026-11-30T04:20:00+01:00"
    assert found["optimum_start"]["earliest"] == "2026-11-28T20:00:00+01:00"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T23:00", "2026-11-23T23:00:00+01:00"),
        ("2026-11-23 23:00:30", "2026-11-23T23:00:30+01:00"),
        ("2026-11-23T22:00:00Z", "2026-11-23T23:00:00+01:00"),
        ("2026-06-23T23:00-04:00", "2026-06-24T05:00:00+02:00"),
        ("2027-03-28T02:30", "2027-03-28T03:00:00+02:00"),
        ("2026-10-25T02:30", "2026-10-25T02:30:00+02:00"),
    ],
)
def test_a_time_is_the_sites_own_unless_it_has_an_offset(site: Path, text: str, instant: str) -> None:
    assert facts(site, "l-001", "--at", text)["at"] == instant


def test_a_bare_clock_time_is_todays(site: Path) -> None:
    before, found, after = (datetime.now(UTC), facts(site, "l-001", "--at", "22:30"), datetime.now(UTC))
    shown = datetime.fromisoformat(found["at"])
    assert (shown.hour, shown.minute) == (22, 30)
    assert shown.date() in {each.astimezone(shown.tzinfo).date() for each in (before, after)}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["lamp/l-01"], 1, "no such target: 'lamp/l-01'; did you mean \"lamp/l-0"),
        (["clases"], 1, 'did you mean "classes"?'),
        (["twin"], 1, "'twin' is the id of several: lamp/twin, segment/twin; write one of them in full"),
        (["group/rues"], 1, "group/rues is many outputs"),
        (["cabinet/cab"], 1, "cabinet/cab is not commanded: explain a lamp, segment, zone or a building with plant"),
        (["l-001", "--at", "3pm"], 2, "'3pm' is no time"),
        (["l-001", "--at", "9999-12-31T23:59"], 2, "the year 9999"),
        (["building/ecole"], 1, "building/ecole is not commanded: explain a lamp, segment, zone or a building with"),
        ([], 1, "no such target"),
        (["l-001", "l-002"], 2, "too many arguments"),
    ],
)
def test_a_wrong_question_is_answered_in_words(site: Path, arguments: list[str], code: int, words: str) -> None:
    result = run(site, *arguments) if arguments else run(site, "")
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_the_site_may_be_left_out(site: Path) -> None:
    result = CliRunner(env={"VEILLEUSE_SITE": str(site)}).invoke(cli, ["explain", "l-001", "--at", "23:00"])
    assert (result.exit_code, result.stdout[:10]) == (0, "lamp/l-001")


def test_without_a_broker_the_plan_is_explained_and_it_is_said(site: Path) -> None:
    result = run(site, "l-001")
    assert result.exit_code == 0
    first, second, *_ = result.stdout.splitlines()
    assert first.startswith("no daemon answers (broker 127.0.0.1:1 not reached: ")
    assert second.startswith("lamp/l-001 shall be ")
    assert "by the plan at" in second
    assert facts(site, "l-001")["source"] == "plan"


def test_the_daemons_word_wins_over_the_plan(live: Path, broker: Broker) -> None:
    override = Override(30.0, NIGHT, MORNING, "accident", "anne", "c1")
    state = told(live, "lamp/l-001", NIGHT, Saved({"lamp/l-001": override}), level=30.0, power_w=12.3, quality="good")
    state["write"] = "applied"
    hash_ = load_site(live).config_hash
    leave(broker, {"status": "online", "lamp/l-001/state": state, "gateway/state": {"config_hash": hash_}})
    found = facts(live, "l-001")
    assert (found["source"], found["note"], found["at"]) == ("daemon", None, "2026-11-23T23:00:00+01:00")
    assert found["winner"] == {
        "priority": 10,
        "source": "override",
        "value": 30.0,
        "reason": "override by anne: accident",
        "until": "2026-11-24T06:00:00+01:00",
    }
    assert [wish["source"] for wish in found["losers"]] == ["plan", "relinquish-default"]
    assert (found["state"]["power_w"], found["state"]["write"], found["alarms"]) == (12.3, "applied", [])
    assert found["grounds"]["next_change"]["at"] == "2026-11-24T00:30:00+01:00"
    text = run(live, "l-001").stdout
    assert text.startswith("lamp/l-001 shall be 30 %, by the daemon at Mon 2026-11-23 23:00:00 (Europe/Paris)\n")
    assert "observed  level 30 %, 12.3 W" in text
    assert "write     applied: the device holds it, read back" in text


def test_alarms_of_what_feeds_a_lamp_belong_to_its_explanation(live: Path, broker: Broker) -> None:
    tripped = {"event": "circuitBreakerTripped", "severity": "critical", "since": "2026-11-23T21:40:00Z"}
    state = told(live, "lamp/l-001", NIGHT, quality="offline")
    leave(
        broker,
        {
            "status": "online",
            "lamp/l-001/state": state,
            "alarm/segment/s-1/circuitBreakerTripped": {**tripped, "suppressed_by": None},
            "alarm/cabinet/cab/communicationFailure": {"severity": "critical", "since": "2026-11-23T21:41:00Z"},
            "alarm/segment/s-2/circuitBreakerTripped": tripped,
            "alarm/lamp/l-002/lampFailure": {"severity": "major", "since": "2026-11-23T21:42:00Z"},
        },
    )
    assert [(alarm["target"], alarm["event"]) for alarm in facts(live, "l-001")["alarms"]] == [
        ("cabinet/cab", "communicationFailure"),
        ("segment/s-1", "circuitBreakerTripped"),
    ]
    text = run(live, "l-001").stdout
    assert "alarm     circuitBreakerTripped of segment/s-1 (critical) since Mon 2026-11-23 22:40\n" in text
    assert "quality   offline: the device does not answer" in text


def test_the_words_of_an_alarm_stand_below_it(live: Path, broker: Broker) -> None:
    hand = {"severity": "minor", "since": "2026-11-23T21:40:00Z", "detail": "zone.1.setpoint held, 4.20 EUR"}
    state = told(live, "zone/ecole.classes", NIGHT)
    topics = {"zone/ecole.classes/state": state, "alarm/zone/ecole.classes/handOverride": hand}
    leave(broker, {"status": "online", **topics})
    lines = run(live, "classes").stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if "handOverride of zone/ecole.classes" in line)
    assert lines[place + 1].strip() == "zone.1.setpoint held, 4.20 EUR"


def test_a_masked_zone_says_who_masks_it_and_preheats_by_its_thermometer(live: Path, broker: Broker) -> None:
    seen: dict[str, object] = {"temperature_c": 17.5, "setpoint_c": 22.0, "quality": "good"}
    state = told(live, "zone/ecole.classes", NIGHT, **seen, write="masked", detail="masked by priority 8")
    leave(broker, {"status": "online", "zone/ecole.classes/state": state})
    assert "(masked by priority 8)" in run(live, "classes").stdout
    found = facts(live, "classes")
    assert (found["state"]["write"], found["state"]["detail"]) == ("masked", "masked by priority 8")
    start = found["grounds"]["optimum_start"]
    assert (start["expected"], start["from_c"], start["measured"]) == ("2026-11-24T07:30:00+01:00", 17.5, True)


def test_the_preheat_is_the_daemons_where_it_has_made_a_forecast(live: Path, broker: Broker) -> None:
    seen: dict[str, object] = {
        "opening_at": "2026-11-24T07:00:00Z",
        "preheat_at": "2026-11-24T05:12:00Z",
        "forecast_ready_at": "2026-11-24T06:55:00Z",
        "expected_c": 18.9,
        "confidence": 0.93,
        "learnt_mornings": 12,
    }
    state = told(live, "zone/ecole.classes", NIGHT, temperature_c=17.5, quality="good", **seen)
    leave(broker, {"status": "online", "zone/ecole.classes/state": state})
    found = facts(live, "classes")["grounds"]
    start = {"by": "daemon", "expected": "2026-11-24T06:12:00+01:00", "earliest": "2026-11-24T05:00:00+01:00"}
    assert found["optimum_start"] == start
    assert (found["forecast"]["ready"], found["forecast"]["expected_c"]) == ("2026-11-24T07:55:00+01:00", 18.9)
    text = run(live, "classes").stdout
    assert "optimum start  Tue 2026-11-24 06:12, at the earliest Tue 2026-11-24 05:00\n" in text
    assert "18.9 °C at the opening on Tue 2026-11-24 08:00, ready Tue 2026-11-24 07:55; confidence 0.93" in text
    assert text.endswith("learnt from 12 mornings\n")


def test_a_forecast_without_a_preheat_says_what_is_in_the_way(live: Path, broker: Broker) -> None:
    hidden: dict[str, object] = {"opening_at": "2026-11-24T07:00:00Z", "confidence": 0.0, "learnt_mornings": 0}
    state = told(live, "zone/ecole.classes", NIGHT, **hidden, obstacle="its device does not answer")
    leave(broker, {"status": "online", "zone/ecole.classes/state": state})
    text = run(live, "classes").stdout
    assert "optimum start  none foreseen, at the earliest" in text
    assert "confidence 0, nothing learnt yet; in the way: its device does not answer\n" in text


def test_the_warmth_of_the_day_says_nothing_of_the_morning_after(live: Path, broker: Broker) -> None:
    state = told(live, "zone/ecole.classes", at("2026-11-23 15:00"), temperature_c=19.0, quality="good")
    leave(broker, {"status": "online", "zone/ecole.classes/state": state})
    start = facts(live, "classes")["grounds"]["optimum_start"]
    assert (start["expected"], start["measured"]) == ("2026-11-24T07:00:00+01:00", False)


def test_a_thermometer_that_cannot_be_trusted_is_not_believed(live: Path, broker: Broker) -> None:
    state = told(live, "zone/ecole.classes", NIGHT, temperature_c=17.5, quality="stale")
    leave(broker, {"status": "online", "zone/ecole.classes/state": state})
    start = facts(live, "classes")["grounds"]["optimum_start"]
    assert (start["expected"], start["measured"]) == ("2026-11-24T07:00:00+01:00", False)


def heated(site: Path) -> Path:
    """The same site, its school's boiler led."""
    file = site / "site.yaml"
    plant = "  - id: ecole\n    plant: {curve: {slope: 1.6}, summer_above: 16}\n    zones"
    file.write_text(file.read_text(encoding="utf-8").replace("  - id: ecole\n    zones", plant), encoding="utf-8")
    return site


def test_a_boiler_says_why_it_runs_point_by_point(live: Path, broker: Broker) -> None:
    seen: dict[str, object] = {"boiler_on": True, "supply_c": 46.8, "outdoor_c": 3.1, "calling": "classes"}
    asked = {"priority": 13, "source": "plan", "until": None}
    why = [
        {"point": "boiler.enable", **asked, "value": 1.0, "reason": "classes at 15.6 of 16 degC"},
        {"point": "boiler.supply-setpoint", **asked, "value": 37.5, "reason": "curve 1.6 at 10.9 degC outside"},
        {"point": "boiler.pump", **asked, "value": 1.0, "reason": "runs with the generator"},
    ]
    state = told(heated(live), "building/ecole", at("2026-11-24 09:00"), **seen, why=why, quality="good")
    leave(broker, {"status": "online", "building/ecole/state": state})
    points = facts(live, "building/ecole")["points"]
    assert list(points) == ["boiler.enable", "boiler.supply-setpoint", "boiler.pump"]
    assert points["boiler.enable"]["winner"]["reason"] == "classes at 15.6 of 16 degC"
    text = run(live, "ecole").stdout
    assert text.startswith("building/ecole by the daemon at Tue 2026-11-24 09:00:00 (Europe/Paris)\n")
    enable, supply, _ = (line.split() for line in text.splitlines()[2:5])
    assert enable[:5] == ["boiler.enable", "wins", "13", "plan", "on"]
    assert supply[:6] == ["boiler.supply-setpoint", "wins", "13", "plan", "37.5", "°C"]
    assert "observed  generator runs, 3.1 °C outside, supply 46.8 °C\n" in text
    assert "calling   classes\n" in text


def test_a_boiler_without_a_daemon_is_not_guessed_at(site: Path) -> None:
    found = facts(heated(site), "building/ecole", "--at", "2026-11-24T09:00")
    assert (found["source"], found["points"]) == ("plan", {})
    assert "which only the running daemon knows" in found["note"]
    assert found["grounds"]["zones"] == ["classes comfort 19 °C (weekly mon-fri 08:00-17:30)"]
    assert "no heat above   16 °C outside, damped\n" in run(site, "building/ecole", "--at", "09:00").stdout


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        ({}, "no daemon of bourg at this broker"),
        ({"status": "offline", "lamp/l-001/state": {"ts": "2026-11-23T22:00:00Z"}}, "the daemon of bourg is offline"),
        ({"status": "online"}, "the daemon of bourg knows no lamp/l-001: it runs another configuration"),
        ({"status": "online", "lamp/l-001/state": "{not json"}, "knows no lamp/l-001"),
        ({"status": "online", "lamp/l-001/state": "[1, 2]"}, "knows no lamp/l-001"),
    ],
)
def test_a_broker_without_the_daemons_word(live: Path, broker: Broker, topics: dict[str, object], words: str) -> None:
    leave(broker, topics)
    found = facts(live, "l-001")
    assert found["source"] == "plan"
    assert words in found["note"]


def test_a_strange_payload_is_shown_as_far_as_it_goes(live: Path, broker: Broker) -> None:
    leave(broker, {"status": "online", "lamp/l-001/state": {"ts": "soon", "why": ["x", {"value": "y"}], "level": "z"}})
    assert facts(live, "l-001")["winner"] == {"value": "y"}
    assert run(live, "l-001").exit_code == 0


def test_a_reason_cannot_command_the_terminal(live: Path, broker: Broker) -> None:
    override = Override(30.0, NIGHT, MORNING, "\x1b[2Jgone\nlamp/l-001 is fine", "anne", "c1")
    state = told(live, "lamp/l-001", NIGHT, Saved({"lamp/l-001": override}))
    leave(broker, {"status": "online", "lamp/l-001/state": state})
    text = run(live, "l-001").stdout
    assert "override by anne: ?[2Jgone?lamp/l-001 is fine\n" in text
    assert "\x1b" not in text


def test_another_configuration_in_the_daemon_is_said(live: Path, broker: Broker) -> None:
    state = told(live, "lamp/l-001", NIGHT)
    leave(broker, {"status": "online", "lamp/l-001/state": state, "gateway/state": {"config_hash": "0" * 12}})
    assert facts(live, "l-001")["note"].startswith("the daemon runs another configuration")


def test_a_silent_broker_does_not_hold_us_up(live: Path, broker: Broker) -> None:
    broker.pause()
    began = time.monotonic()
    found = facts(live, "l-001")
    took_s = time.monotonic() - began
    broker.resume()
    assert "not reached: it is silent" in found["note"]
    assert took_s < 4.0
