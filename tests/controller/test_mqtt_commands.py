"""Every command that comes in, and every reason for which one is refused."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.clock import Clock
from controller.core.commands import Command, Refusal
from controller.mqtt.commands import MAX_BYTES, Unfit, parse_command, parse_duration
from controller.mqtt.outbox import encode
from schedules.allures import Allure

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
REAL = Clock()
FAST = Clock(start=datetime(2026, 1, 1, 12, 0, tzinfo=UTC), speed=600.0, anchor=NOW.timestamp() - 10)
SITE_NOW = datetime(2026, 1, 1, 13, 40, tzinfo=UTC)
GONE = object()


def stamp(offset_s: float, base: datetime = NOW) -> str:
    return (base + timedelta(seconds=offset_s)).isoformat()


def body(**changes: Any) -> bytes:
    fields: dict[str, Any] = {"id": "c-1", "issued": stamp(0), "level": 40, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not GONE}).encode()


def judged(payload: bytes, kind: str = "lamp", retained: bool = False, clock: Clock = REAL) -> Command | Refusal:
    return parse_command(kind, "l-001", payload, retained, clock, NOW)


def accepted(payload: bytes, kind: str = "lamp", clock: Clock = REAL) -> Command:
    found = judged(payload, kind, clock=clock)
    assert isinstance(found, Command), found
    return found


def test_a_whole_command() -> None:
    payload = body(**{"for": "1h30m"}, reason="accident rue du Port", by="m.durand")
    assert accepted(payload) == Command(
        id="c-1",
        kind="lamp",
        target="l-001",
        received=NOW,
        value=40.0,
        lasting=timedelta(minutes=90),
        reason="accident rue du Port",
        by="m.durand",
    )


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("segment", {"level": 100}, (100.0, None, False)),
        ("lamp", {"level": 0}, (0.0, None, False)),
        ("lamp", {"level": 12.5}, (12.5, None, False)),
        ("lamp", {"level": GONE, "relinquish": True}, (None, None, True)),
        ("zone", {"level": GONE, "setpoint_c": 20.5}, (20.5, None, False)),
        ("zone", {"level": GONE, "setpoint_c": -3}, (-3.0, None, False)),
        ("zone", {"level": GONE, "allure": "comfort"}, (None, Allure.COMFORT, False)),
        ("zone", {"level": GONE, "allure": "off"}, (None, Allure.OFF, False)),
        ("zone", {"level": GONE, "relinquish": True}, (None, None, True)),
    ],
)
def test_what_each_kind_takes(kind: str, fields: dict[str, Any], expected: tuple[object, ...]) -> None:
    found = accepted(body(**fields), kind)
    assert (found.value, found.allure, found.relinquish) == expected


@pytest.mark.parametrize(
    ("issued", "utc"),
    [
        ("2026-11-21T22:00:00Z", NOW),
        ("2026-11-21T23:00:00+01:00", NOW),
        ("2026-11-21t22:00:00z", NOW),
        ("2026-11-21T22:00:00.123456789Z", NOW + timedelta(microseconds=123456)),
        (stamp(-60), NOW - timedelta(seconds=60)),
        (stamp(5), NOW + timedelta(seconds=5)),
    ],
)
def test_issued_is_any_fresh_rfc3339_instant(issued: str, utc: datetime) -> None:
    until = (utc + timedelta(hours=1)).isoformat()
    assert accepted(body(issued=issued, until=until)).until == utc + timedelta(hours=1)


@pytest.mark.parametrize("kind", ["lamp", "segment", "group"])
def test_a_relight_has_no_level_of_its_own(kind: str) -> None:
    found = accepted(body(level=GONE, relight=True, **{"for": "10m"}, by="app"), kind)
    assert (found.relight, found.value, found.relinquish) == (True, None, False)
    assert (found.lasting, found.by) == (timedelta(minutes=10), "app")
    assert accepted(body()).relight is False


@pytest.mark.parametrize("kind", ["lamp", "segment", "group"])
def test_a_level_may_be_commanded_for_a_work_order(kind: str) -> None:
    found = accepted(body(level=100, maintenance="BT-2026-117", reason="lamps are cleaned", **{"for": "4h"}), kind)
    assert (found.value, found.maintenance, found.reason) == (100.0, "BT-2026-117", "lamps are cleaned")
    assert accepted(body()).maintenance == ""


def test_a_relinquish_has_no_end() -> None:
    found = accepted(body(level=GONE, relinquish=True, **{"for": "2h"}))
    assert (found.lasting, found.until) == (None, None)


REFUSED = [
    ("not json", b"level=40", "not JSON"),
    ("empty", b"", "not JSON"),
    ("latin-1", '{"id": "é"}'.encode("latin-1"), "not JSON"),
    ("utf-16", body().decode().encode("utf-16"), "not JSON"),
    ("byte order mark", b"\xef\xbb\xbf" + body(), "not JSON"),
    ("nested beyond reason", b"[" * 15_000, "not JSON"),
    ("an endless number", b'{"level": ' + b"9" * 9_000 + b"}", "not JSON"),
    ("a list", b"[]", "not a JSON object"),
    ("NaN", b'{"id": "c-1", "level": NaN}', "NaN is not a number"),
    ("Infinity", b'{"id": "c-1", "level": -Infinity}', "-Infinity is not a number"),
    ("over 16 kB", body(reason="x" * MAX_BYTES), "at most 16384"),
    ("a field twice", b'{"id": "c-1", "level": 1, "level": 99}', "given twice"),
    ("unknown field", body(levle=40), "unknown field 'levle'; did you mean level?"),
    ("unknown field far off", body(zzz=40), "unknown field 'zzz'"),
    ("no id", body(id=GONE), "id is missing"),
    ("empty id", body(id=""), "id is not a text"),
    ("number as id", body(id=7), "id is not a text"),
    ("control in id", body(id="a\nb"), "id is not a text"),
    ("half a surrogate in id", b'{"id": "\\ud800"}', "id is not a text"),
    ("long id", body(id="x" * 129), "id is not a text"),
    ("no issued", body(issued=GONE), "issued is missing"),
    ("number as issued", body(issued=1_795_000_000), "issued is not a text"),
    ("issued without offset", body(issued="2026-11-21T22:00:00"), "issued is not RFC 3339"),
    ("issued a date", body(issued="2026-11-21"), "issued is not RFC 3339"),
    ("issued in basic form", body(issued="20261121T220000Z"), "issued is not RFC 3339"),
    ("issued on no day", body(issued="2026-02-30T22:00:00Z"), "exists"),
    ("issued before time", body(issued="0001-01-01T00:00:00+05:00"), "exists"),
    ("stale", body(issued=stamp(-61)), "issued 61 s ago; a command is good for 60 s"),
    ("in the future", body(issued=stamp(6)), "issued 6 s in the future"),
    ("none of the four", body(level=GONE), "found none"),
    ("two of the four", body(relinquish=True), "level and relinquish together"),
    ("setpoint for a lamp", body(level=GONE, setpoint_c=20), "setpoint_c does not fit a lamp"),
    ("allure for a lamp", body(level=GONE, allure="comfort"), "allure does not fit a lamp"),
    ("relinquish false", body(level=GONE, relinquish=False), "relinquish is not true"),
    ("relinquish 1", body(level=GONE, relinquish=1), "relinquish is not true"),
    ("level below", body(level=-0.1), "out of range"),
    ("level above", body(level=100.1), "out of range"),
    ("level a bool", body(level=True), "level is not a number"),
    ("level a text", body(level="40"), "level is not a number"),
    ("level null", body(level=None), "level is not a number"),
    ("level beyond floats", body(level=10**400), "level is not a finite number"),
    ("level overflowing", b'{"id":"c-1","issued":"%b","level":1e999}' % stamp(0).encode(), "not a finite number"),
    ("for and until", body(**{"for": "2h"}, until=stamp(60)), "for and until together"),
    ("for a number", body(**{"for": 7200}), "for is not a text"),
    ("for no duration", body(**{"for": "two hours"}), "is not a duration"),
    ("for nothing", body(**{"for": "0h"}), "is not a duration"),
    ("for less than nothing", body(**{"for": "-2h"}), "is not a duration"),
    ("until a number", body(until=5), "until is not a text"),
    ("until without offset", body(until="2026-11-22T00:00:00"), "until is not RFC 3339"),
    ("until at issued", body(until=stamp(0)), "expired: until is not after issued"),
    ("until passed meanwhile", body(issued=stamp(-30), until=stamp(-10)), "expired: until has passed"),
    ("reason a list", body(reason=[]), "reason is not a text"),
    ("reason half a surrogate", body().replace(b"}", b', "reason": "\\udc00"}'), "reason is not valid Unicode"),
    ("reason long", body(reason="x" * 501), "longer than 500"),
    ("by a number", body(by=3), "by is not a text"),
    ("relight beside a level", body(relight=True), "level and relight together"),
    ("relight false", body(level=GONE, relight=False), "relight is not true"),
    ("relight 1", body(level=GONE, relight=1), "relight is not true"),
    ("maintenance without a reason", body(maintenance="BT-1"), "maintenance needs a reason"),
    ("maintenance with a blank reason", body(maintenance="BT-1", reason="  "), "maintenance needs a reason"),
    ("maintenance of nothing", body(maintenance="", reason="x"), "is not a work order"),
    ("maintenance on two lines", body(maintenance="BT\n1", reason="x"), "is not a work order"),
    ("maintenance true", body(maintenance=True, reason="x"), "maintenance is not a text"),
    ("maintenance long", body(maintenance="x" * 65, reason="x"), "is not a work order"),
    ("a relight as maintenance", body(level=GONE, relight=True, maintenance="B", reason="x"), "not with relight"),
    ("a relinquish as maintenance", body(level=GONE, relinquish=True, maintenance="B"), "not with relinquish"),
]


@pytest.mark.parametrize(("payload", "detail"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused_with_its_reason(payload: bytes, detail: str) -> None:
    found = judged(payload)
    assert isinstance(found, Refusal)
    assert detail in found.detail
    assert (found.kind, found.target, found.at) == ("lamp", "l-001", NOW)
    encode({"id": found.id, "detail": found.detail})


@pytest.mark.parametrize(
    ("kind", "fields", "detail"),
    [
        ("zone", {}, "level does not fit a zone; it takes setpoint_c, allure, relinquish"),
        ("zone", {"level": GONE, "allure": "cosy"}, "allure is not one of comfort, reduced, frost, off"),
        ("zone", {"level": GONE, "allure": 1}, "allure is not one of"),
        ("zone", {"level": GONE, "setpoint_c": "20"}, "setpoint_c is not a number"),
        ("zone", {"level": GONE, "setpoint_c": 20, "allure": "comfort"}, "setpoint_c and allure together"),
        ("cabinet", {}, "unknown target kind 'cabinet'"),
        ("gateway", {"level": GONE, "relinquish": True}, "unknown target kind 'gateway'"),
        ("zone", {"level": GONE, "relight": True}, "relight does not fit a zone"),
        ("zone", {"level": GONE, "setpoint_c": 20, "maintenance": "B", "reason": "x"}, "maintenance goes with level"),
    ],
)
def test_refused_for_its_kind(kind: str, fields: dict[str, Any], detail: str) -> None:
    found = judged(body(**fields), kind)
    assert isinstance(found, Refusal)
    assert detail in found.detail


def test_a_retained_command_is_refused_and_named() -> None:
    found = judged(body(), retained=True)
    assert isinstance(found, Refusal)
    assert found.id == "c-1"
    assert found.detail.startswith("retained")


def test_the_id_is_given_back_where_it_could_be_read() -> None:
    assert judged(body(level=400)).id == "c-1"
    assert judged(b"{}").id == ""


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("2h", timedelta(hours=2)),
        ("90m", timedelta(minutes=90)),
        ("30s", timedelta(seconds=30)),
        ("1h30m", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("PT2H", timedelta(hours=2)),
        ("PT1H30M5S", timedelta(hours=1, minutes=30, seconds=5)),
        ("P1DT12H", timedelta(hours=36)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


NO_DURATIONS = ["", "2", "h", "2 h", "1.5h", "30m1h", "P", "PT", "P1DT", "2h\n", "²h", "1e3s", "PT0S"]


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_no_durations(text: str) -> None:
    with pytest.raises(Unfit):
        parse_duration(text)


def test_on_a_fast_clock_a_wall_dated_end_is_carried_over_to_the_sites_time() -> None:
    found = accepted(body(until=stamp(60)), clock=FAST)
    assert found.received == SITE_NOW
    assert found.until == SITE_NOW + timedelta(seconds=60 * 600)


def test_on_a_fast_clock_a_sender_may_date_by_what_the_site_shows() -> None:
    found = accepted(body(issued=stamp(-600, SITE_NOW), until=stamp(7200, SITE_NOW)), clock=FAST)
    assert found.until == SITE_NOW + timedelta(hours=2)


@pytest.mark.parametrize("offset_s", [-60 * 600 - 1, 5 * 600 + 1])
def test_on_a_fast_clock_freshness_is_a_minute_of_ours(offset_s: float) -> None:
    assert isinstance(judged(body(issued=stamp(offset_s, SITE_NOW)), clock=FAST), Refusal)


def test_on_the_machines_own_clock_the_sites_time_is_no_excuse() -> None:
    assert isinstance(judged(body(issued=SITE_NOW.isoformat())), Refusal)


def test_an_end_beyond_the_calendar_is_refused() -> None:
    found = judged(body(until="9999-12-31T23:59:59Z"), clock=FAST)
    assert isinstance(found, Refusal)
    assert found.detail == "until is too far away"


@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(payload: bytes) -> None:
    assert isinstance(judged(payload), Refusal)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["id", "issued", "level", "setpoint_c", "allure", "relinquish", "relight", "maintenance", "for", "until",
         "reason", "by", "x"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), JSON), st.sampled_from(["lamp", "segment", "zone", "x"]), st.booleans())
def test_no_json_brings_it_down(changes: dict[str, Any], kind: str, plain: bool) -> None:
    payload = body(**changes) if plain else json.dumps(changes).encode()
    found = judged(payload, kind)
    if isinstance(found, Refusal):
        encode({"id": found.id, "detail": found.detail})
        return
    assert sum([found.value is not None, found.allure is not None, found.relinquish]) == 1
    assert found.value is None or math.isfinite(found.value)
