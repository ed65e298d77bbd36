"""What waits for the broker, without a broker; and the names it goes to."""

from __future__ import annotations

import pytest

from controller.mqtt.outbox import Outbox, decode, encode
from controller.mqtt.topics import Topics

TOPICS = Topics("veilleuse", "valbourg")


def take(outbox: Outbox, limit: int = 100) -> dict[str, object]:
    """What a session would publish now, acknowledged."""
    window = outbox.fresh(limit)
    outbox.confirm(window)
    return {each.topic: each.payload for each in window}


def test_only_the_latest_value_of_a_topic_waits() -> None:
    outbox = Outbox()
    for level in range(100):
        outbox.retain("a", {"level": level})
    assert outbox.depth == 1
    assert take(outbox) == {"a": {"level": 99}}
    assert (outbox.depth, outbox.retained_ready.is_set()) == (0, False)


def test_a_value_that_changed_on_the_way_is_sent_again_behind_the_others() -> None:
    outbox = Outbox()
    for topic in ("a", "b", "c"):
        outbox.retain(topic, {"n": 1})
    window = outbox.fresh(2)
    outbox.retain("a", {"n": 2})
    outbox.confirm(window)
    assert [each.topic for each in outbox.fresh(10)] == ["c", "a"]
    assert take(outbox) == {"c": {"n": 1}, "a": {"n": 2}}


def test_topics_that_change_all_the_time_do_not_starve_the_others() -> None:
    outbox = Outbox()
    for number in range(6):
        outbox.retain(f"busy-{number}", {"n": 0})
    outbox.retain("quiet", {"n": 0})
    seen: set[str] = set()
    for turn in range(4):
        window = outbox.fresh(3)
        for number in range(6):
            outbox.retain(f"busy-{number}", {"n": turn})
        outbox.confirm(window)
        seen |= {each.topic for each in window}
    assert "quiet" in seen


def test_a_cleared_topic_is_cleared_at_the_broker_and_leaves_the_world() -> None:
    outbox = Outbox()
    outbox.retain("a", {"n": 1})
    take(outbox)
    outbox.retain("a", None)
    assert take(outbox) == {"a": None}
    outbox.all_anew()
    assert take(outbox) == {}


def test_after_a_loss_the_whole_world_and_every_unsent_clearing_wait_again() -> None:
    outbox = Outbox()
    outbox.retain("a", {"n": 1})
    outbox.retain("b", {"n": 1})
    take(outbox)
    outbox.retain("b", None)
    outbox.all_anew()
    assert take(outbox) == {"b": None, "a": {"n": 1}}


def test_letters_keep_their_order_and_stay_until_posted() -> None:
    outbox = Outbox()
    for number in range(5):
        outbox.send("event", {"n": number})
    assert [letter.payload for letter in outbox.letters(2)] == [{"n": 0, "seq": 1}, {"n": 1, "seq": 2}]
    assert outbox.letters(2) == outbox.letters(2)
    outbox.posted(outbox.letters(2)[-1].number)
    assert [letter.payload["n"] for letter in outbox.letters(10)] == [2, 3, 4]
    outbox.posted(5)
    assert (outbox.depth, outbox.letters_ready.is_set()) == (0, False)


def test_the_line_is_bounded_and_what_falls_out_is_counted() -> None:
    outbox = Outbox()
    for number in range(1_250):
        outbox.send("event", {"n": number})
    assert (outbox.depth, outbox.dropped) == (1_000, 250)
    assert outbox.letters(1)[0].payload == {"n": 250, "seq": 251}


def test_a_letter_dropped_on_its_way_does_not_take_another_with_it() -> None:
    outbox = Outbox(line_length=3)
    for number in range(3):
        outbox.send("event", {"n": number})
    window = outbox.letters(2)
    outbox.send("event", {"n": 3})
    outbox.posted(window[-1].number)
    assert [letter.payload["n"] for letter in outbox.letters(10)] == [2, 3]


def test_a_result_goes_as_it_is() -> None:
    outbox = Outbox()
    outbox.send("result", {"id": "c-1"}, numbered=False)
    assert outbox.letters(1)[0].payload == {"id": "c-1"}


def test_payloads_are_compact_utf_8() -> None:
    assert encode({"street": "Place d'Armes, Béthune", "level": 40}) == (
        '{"street":"Place d\'Armes, Béthune","level":40}'.encode()
    )
    with pytest.raises(ValueError, match="JSON compliant"):
        encode({"level": float("nan")})


@pytest.mark.parametrize("payload", [b"", b"x", b"[]", b"3", b"\xff"])
def test_what_is_no_object_is_nothing(payload: bytes) -> None:
    assert decode(payload) == {}


def test_the_names() -> None:
    assert TOPICS.status == "veilleuse/valbourg/status"
    assert TOPICS.gateway == "veilleuse/valbourg/gateway/state"
    assert TOPICS.event == "veilleuse/valbourg/event"
    assert TOPICS.sample == "veilleuse/valbourg/sample"
    assert TOPICS.set_filter == "veilleuse/valbourg/+/+/set"
    assert TOPICS.state("zone", "school.hall") == "veilleuse/valbourg/zone/school.hall/state"
    assert TOPICS.result("lamp", "l-001") == "veilleuse/valbourg/lamp/l-001/result"
    assert TOPICS.alarm("lamp", "l-001", "lamp-failure") == "veilleuse/valbourg/alarm/lamp/l-001/lamp-failure"
    assert TOPICS.parse_set(TOPICS.command("lamp", "l-001")) == ("lamp", "l-001")


@pytest.mark.parametrize(
    "topic",
    [
        "veilleuse/valbourg/lamp/l-001/state",
        "veilleuse/valbourg/lamp/set",
        "veilleuse/valbourg/lamp/l-001/x/set",
        "veilleuse/valbourg//l-001/set",
        "veilleuse/elsewhere/lamp/l-001/set",
        "lamp/l-001/set",
        "",
    ],
)
def test_topics_that_are_no_command(topic: str) -> None:
    assert TOPICS.parse_set(topic) is None
