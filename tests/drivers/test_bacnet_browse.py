"""What a device's answers say of it and of its objects, and text in all character sets."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Refused
from drivers.bacnet.browse import Asked, SeenObject, about, device_refs, identifiers, object_refs, seen_object
from drivers.bacnet.codec import DEVICE, NULL, Atom, Atoms, ObjectId, Property, Ref, StatusFlags, Tag, Undecodable
from drivers.bacnet.text import CHARACTER_STRING, character_string
from drivers.bacnet.units import unit_name

SETPOINT = ObjectId(2, 7)


def words(octets: bytes) -> Atoms:
    return (Atom(CHARACTER_STRING, octets),)


def real(value: float) -> Atom:
    return Atom(Tag.REAL, struct.pack(">f", value))


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"\x00Chaudi\xc3\xa8re", "Chaudière"),
        (b"\x00Chaudi\xe8re", "Chaudière"),
        (b"\x01\x03\x52Vanne \x82", "Vanne é"),
        (b"\x03" + "Sälä".encode("utf-32-be"), "Sälä"),
        (b"\x04" + "Büro".encode("utf-16-be"), "Büro"),
        (b"\x05B\xfcro\x00", "Büro"),
        (b"\x00", ""),
    ],
)
def test_text(octets: bytes, expected: str) -> None:
    assert character_string(words(octets)) == expected


@pytest.mark.parametrize("atoms", [(), words(b""), words(b"\x09x"), (NULL,), words(b"\x00a") * 2])
def test_what_is_no_text(atoms: Atoms) -> None:
    with pytest.raises(Undecodable):
        character_string(atoms)


@given(st.binary(max_size=40))
def test_any_octets_are_text_or_undecodable(octets: bytes) -> None:
    try:
        assert isinstance(character_string(words(octets)), str)
    except Undecodable:
        return


def test_a_device_of_itself() -> None:
    refs = device_refs(1201)
    answers: dict[Ref, Atoms | Refused] = dict.fromkeys(refs, words(b"\x00word"))
    answers[refs[1]] = Refused("property: unknown-property")
    answers[Ref(ObjectId(DEVICE, 1201), Asked.MODEL_NAME)] = words(b"\x00RTU 7")
    found = about(1201, answers)
    assert (found.instance, found.name, found.vendor, found.model) == (1201, "word", "", "RTU 7")
    assert about(1, {}).name == ""


def test_an_object_with_everything() -> None:
    array = [NULL] * 16
    array[7], array[12] = real(21.0), real(19.0)
    answers: dict[Ref, Atoms | Refused] = {
        Ref(SETPOINT, Asked.OBJECT_NAME): words(b"\x00SP_7"),
        Ref(SETPOINT, Asked.DESCRIPTION): words(b"\x00Consigne salle 7"),
        Ref(SETPOINT, Property.PRESENT_VALUE): (real(21.0),),
        Ref(SETPOINT, Property.STATUS_FLAGS): (Atom(Tag.BIT_STRING, b"\x04\x10"),),
        Ref(SETPOINT, Property.PRIORITY_ARRAY): tuple(array),
        Ref(SETPOINT, Asked.UNITS): (Atom(Tag.ENUMERATED, b"\x3e"),),
        Ref(SETPOINT, Asked.MAX_PRES_VALUE): (real(28.0),),
        Ref(SETPOINT, Asked.MIN_PRES_VALUE): Refused("property: unknown-property"),
    }
    assert set(answers) == set(object_refs(SETPOINT))
    found = seen_object(SETPOINT, answers)
    expected = SeenObject(
        SETPOINT, "SP_7", 21.0, "", 62, "Consigne salle 7", ((8, 21.0), (13, 19.0)), StatusFlags(out_of_service=True),
        None, 28.0,
    )  # fmt: skip
    assert found == expected
    assert (found.key, found.commandable, unit_name(62)) == ("analog-value,7", True, "degrees-celsius")
    listed = found.listed(1201)
    assert (listed.unit, listed.settable, listed.maximum, listed.object) == ("degC", True, 28.0, "analog-value,7")


@pytest.mark.parametrize(
    ("kind", "atoms", "value", "cause"),
    [
        (3, (Atom(Tag.ENUMERATED, b"\x01"),), "active", ""),
        (4, (Atom(Tag.ENUMERATED, b"\x00"),), "inactive", ""),
        (13, (Atom(Tag.UNSIGNED, b"\x03"),), 3.0, ""),
        (40, words(b"\x00hello"), "hello", ""),
        (0, Refused("property: read-access-denied"), None, "property: read-access-denied"),
        (0, (NULL,), None, "no value"),
        (0, (), None, "0 values where one was expected"),
    ],
)
def test_present_values(kind: int, atoms: Atoms | Refused, value: float | str | None, cause: str) -> None:
    there = ObjectId(kind, 1)
    found = seen_object(there, {Ref(there, Property.PRESENT_VALUE): atoms})
    assert (found.value, found.cause) == (value, cause)


def test_an_object_that_answers_nothing_or_nonsense_is_still_there() -> None:
    strange: Atoms = (Atom(Tag.CONSTRUCTED), Atom(Tag.CONSTRUCTED))
    assert seen_object(SETPOINT, {}) == SeenObject(SETPOINT)
    found = seen_object(SETPOINT, dict.fromkeys(object_refs(SETPOINT), strange))
    assert (found.name, found.unit, found.slots) == ("", None, None)
    assert seen_object(ObjectId(300, 1), {}).key == "300,1"
    assert unit_name(60_000) == "60000"


def test_the_list_of_objects_without_the_device_itself() -> None:
    octets = [(kind << 22 | instance).to_bytes(4) for kind, instance in ((8, 1201), (2, 7), (300, 1))]
    assert identifiers([Atom(Tag.OBJECT_IDENTIFIER, each) for each in octets]) == [SETPOINT, ObjectId(300, 1)]
    with pytest.raises(Undecodable):
        identifiers([NULL])
