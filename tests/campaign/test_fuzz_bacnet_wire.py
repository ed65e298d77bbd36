"""Fuzzed BACnet parameters: Malformed or a well-formed answer, never a crash; what is cut off is never an answer."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

import pytest

from drivers.bacnet import codec, wire
from drivers.bacnet.codec import Atoms, Undecodable
from drivers.bacnet.wire import Denied, Malformed
from tests.campaign.conftest import Show
from tests.campaign.mutation import Mutator

ANALOG, SCHEDULE, DEVICE = b"\x00\x80\x00\x01", b"\x04\x40\x00\x07", b"\x02\x00\x04\xb1"
REAL, DOUBLE = b"\x44" + struct.pack(">f", 21.5), b"\x55\x08" + struct.pack(">d", 1e6)
TEXT = b"\x75\x0b\x00chaufferie"
LONG_TEXT = b"\x75\xfe\x01\x2d\x00" + b"x" * 300
DATE_TIME = b"\xa4\x7e\x0b\x15\x06\xb4\x16\x00\x00\x00"
NESTED = b"\x0e\x1e\x21\x05\x1f\x0f"
VALUES = [
    REAL, DOUBLE, b"\x00", b"\x10", b"\x11", b"\x21\x07", b"\x24\xff\xff\xff\xff", b"\x31\xf6", b"\x91\x01",
    b"\x82\x04\x00", b"\x82\x04\xf0", b"\xc4" + DEVICE, TEXT, LONG_TEXT, DATE_TIME, NESTED, b"",
    b"\x00" * 7 + REAL + b"\x00" * 8, (b"\xc4" + ANALOG) * 20,
]  # fmt: skip


def one(value: bytes, element: bytes = b"") -> bytes:
    """The parameters of the answer to a ReadProperty."""
    return b"\x0c" + ANALOG + b"\x19\x55" + element + b"\x3e" + value + b"\x3f"


def many(values: Sequence[bytes]) -> bytes:
    """The parameters of the answer to a ReadPropertyMultiple, an error at its end."""
    results = b"".join(b"\x29\x55\x4e" + value + b"\x4f\x2a\x02\x00\x5e\x91\x02\x91\x20\x5f" for value in values)
    return (
        b"\x0c" + ANALOG + b"\x1e" + results + b"\x1f\x0c" + SCHEDULE + b"\x1e\x29\x6f\x39\x02\x4e\x82\x04\x00\x4f\x1f"
    )


def notification(value: bytes) -> bytes:
    """The parameters of a COV notification."""
    head = b"\x0a\x10\x4b\x1c" + DEVICE + b"\x2c" + ANALOG + b"\x3a\x01\x2c\x4e"
    return head + b"\x09\x55\x2e" + value + b"\x2f\x39\x08\x09\x6f\x2e\x82\x04\x00\x2f\x4f"


ONE = [one(value) for value in VALUES] + [one(REAL, b"\x29\x03")]
MANY = [many(VALUES[at : at + 3]) for at in range(0, len(VALUES), 3)] + [many([REAL, DOUBLE])]
REPORTS = [notification(value) for value in VALUES]
ERRORS = [b"\x91\x02\x91\x20", b"\x91\x01\x92\x01\x00"]
Parse = Callable[[bytes], Sequence[Atoms | Denied]]


def _one(octets: bytes) -> Sequence[Atoms | Denied]:
    return [wire.read_answer(octets).content]


def _many(octets: bytes) -> Sequence[Atoms | Denied]:
    return [found.content for found in wire.read_many_answer(octets)]


def _report(octets: bytes) -> Sequence[Atoms | Denied]:
    return [content for _, content in wire.cov_notification(octets).values]


def _error(octets: bytes) -> Sequence[Atoms | Denied]:
    return [wire.error(octets)]


PARSERS: dict[str, tuple[Parse, Sequence[bytes]]] = {
    "read": (_one, ONE), "read-many": (_many, MANY), "cov": (_report, REPORTS), "error": (_error, ERRORS),
}  # fmt: skip
parsers = pytest.mark.parametrize("name", PARSERS)


def judge(content: Atoms | Denied) -> None:
    """Whatever was accepted is a number, flags, slots, an identifier, or said to be none."""
    if isinstance(content, Denied):
        assert content.error_class >= 0
        assert content.error_code >= 0
        return
    for judged in (codec.number, codec.status_flags, codec.slots, codec.object_identifier):
        try:
            found = judged(content)
        except Undecodable:
            continue
        assert not isinstance(found, float) or math.isfinite(found), content


def fuzz(name: str, count: int, seed: int) -> int:
    """How many of ``count`` were accepted."""
    parse, corpus = PARSERS[name]
    accepted = 0
    for octets in Mutator(seed, corpus).messages(count):
        try:
            contents = parse(octets)
        except Malformed:
            continue
        accepted += 1
        for content in contents:
            judge(content)
    return accepted


@parsers
def test_what_is_cut_off_is_malformed(name: str) -> None:
    parse, corpus = PARSERS[name]
    for octets in corpus:
        parse(octets)
        for length in range(len(octets)):
            # A list of results may end between two objects: there it is shorter, and lacks what was asked for.
            if name == "read-many" and (length == 0 or octets[length - 1 : length + 1] == b"\x1f\x0c"):
                continue
            with pytest.raises(Malformed):
                parse(octets[:length])


@parsers
def test_fuzzed_parameters(name: str) -> None:
    assert fuzz(name, 20_000, seed=1) > 1_000


@pytest.mark.long
@pytest.mark.timeout(900)
@parsers
def test_a_million_fuzzed_parameters(name: str, show: Show) -> None:
    accepted = fuzz(name, 1_000_000, seed=2)
    show(f"bacnet {name}: 1000000 fuzzed, {accepted} well-formed, 0 crashes")
    assert accepted > 50_000
