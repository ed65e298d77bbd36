"""Values as on the wire."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bacnet import codec
from drivers.bacnet.codec import NULL, Atom, ObjectId, Property, Ref, StatusFlags, Tag, Undecodable

GOLDEN = [  # from the examples of ASHRAE 135 clause 20.2
    (Atom(Tag.REAL, bytes.fromhex("42900000")), 72.0),
    (Atom(Tag.DOUBLE, bytes.fromhex("4052000000000000")), 72.0),
    (Atom(Tag.UNSIGNED, bytes.fromhex("48")), 72.0),
    (Atom(Tag.SIGNED, bytes.fromhex("48")), 72.0),
    (Atom(Tag.SIGNED, bytes.fromhex("ff80")), -128.0),
    (Atom(Tag.ENUMERATED, bytes.fromhex("00")), 0.0),
    (Atom(Tag.ENUMERATED, bytes.fromhex("01")), 1.0),
    (Atom(Tag.BOOLEAN, b"\x01"), 1.0),
]


@pytest.mark.parametrize(("atom", "value"), GOLDEN)
def test_numbers(atom: Atom, value: float) -> None:
    assert codec.number((atom,)) == value


def test_a_real_shows_the_digits_that_were_meant() -> None:
    assert codec.number((codec.atom_of(19.3, Tag.REAL),)) == 19.3
    assert codec.number((codec.atom_of(1234567.5, Tag.REAL),)) == 1234567.5


@pytest.mark.parametrize(
    "atoms",
    [
        (),
        (NULL,),
        (Atom(Tag.CONSTRUCTED),),
        (Atom(Tag.REAL, b"\x00"),),
        (Atom(Tag.REAL, struct.pack(">f", math.nan)),),
        (Atom(Tag.REAL, struct.pack(">f", -math.inf)),),
        (Atom(Tag.DOUBLE, struct.pack(">d", math.inf)),),
        (Atom(Tag.UNSIGNED, b""),),
        (Atom(Tag.REAL, bytes(4)), Atom(Tag.REAL, bytes(4))),
        (Atom(7, b"\x00text"),),
    ],
)
def test_what_is_no_number(atoms: tuple[Atom, ...]) -> None:
    with pytest.raises(Undecodable):
        codec.number(atoms)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_reals_survive(value: float) -> None:
    back = codec.number((codec.atom_of(value, Tag.REAL),))
    assert struct.pack(">f", back) == struct.pack(">f", value)


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_survive(value: int) -> None:
    assert codec.number((codec.atom_of(value, Tag.SIGNED),)) == value


@given(st.integers(0, 2**32 - 1))
def test_unsigned_survive_in_the_fewest_octets(value: int) -> None:
    atom = codec.atom_of(value, Tag.UNSIGNED)
    assert codec.number((atom,)) == value
    assert len(atom.octets) == 1 or atom.octets[0] != 0


@given(st.lists(st.builds(Atom, st.integers(-1, 15), st.binary(max_size=9)), max_size=18).map(tuple))
def test_anything_is_a_number_or_undecodable(atoms: tuple[Atom, ...]) -> None:
    for decode in (codec.number, codec.slots, codec.status_flags, codec.object_identifier):
        try:
            decode(atoms)
        except Undecodable:
            continue


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        (math.nan, Tag.REAL),
        (math.inf, Tag.DOUBLE),
        (1e39, Tag.REAL),
        (0.5, Tag.ENUMERATED),
        (2.0, Tag.ENUMERATED),
        (1.5, Tag.UNSIGNED),
        (-1.0, Tag.UNSIGNED),
        (2.0**31, Tag.SIGNED),
    ],
)
def test_what_a_datatype_cannot_hold(value: float, tag: Tag) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        codec.atom_of(value, tag)


def test_slots_of_a_priority_array() -> None:
    array = [NULL] * 16
    array[7] = codec.atom_of(18.0, Tag.REAL)
    array[12] = codec.atom_of(20.5, Tag.REAL)
    assert codec.slots(array) == ((8, 18.0), (13, 20.5))
    with pytest.raises(Undecodable):
        codec.slots(array[:15])


@pytest.mark.parametrize(
    ("bits", "flags"),
    [
        (0x00, StatusFlags()),
        (0x80, StatusFlags(in_alarm=True)),
        (0x40, StatusFlags(fault=True)),
        (0x20, StatusFlags(overridden=True)),
        (0x10, StatusFlags(out_of_service=True)),
    ],
)
def test_status_flags(bits: int, flags: StatusFlags) -> None:
    assert codec.status_flags((Atom(Tag.BIT_STRING, bytes([4, bits])),)) == flags


def test_references() -> None:
    assert codec.value_reference("analog-value,3", "present-value") == (
        Ref(ObjectId(2, 3), Property.PRESENT_VALUE),
        Tag.REAL,
    )
    assert codec.value_reference("binary-value,1", "relinquish-default")[1] is Tag.ENUMERATED
    for object_, property_ in [
        ("analog-valeu,1", "present-value"),
        ("analog-value", "present-value"),
        ("analog-value,4194303", "present-value"),
        ("analog-value,1", "presentvalue"),
    ]:
        with pytest.raises(ValueError, match=r"\S"):
            codec.value_reference(object_, property_)
