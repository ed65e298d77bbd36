"""Tags and values: the examples of ASHRAE 135 (20.2), round trips, and what must not be decoded."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.bacnet_codec import Reader, application, context, enclosed
from sim.bacnet_values import (
    Atom,
    BitString,
    Boolean,
    CharacterString,
    Date,
    DecodeError,
    Double,
    Enumerated,
    Integer,
    Null,
    ObjectId,
    OctetString,
    Real,
    Time,
    Unsigned,
)

EXAMPLES = [
    ("00", Null()),
    ("10", Boolean(False)),
    ("11", Boolean(True)),
    ("2148", Unsigned(72)),
    ("2100", Unsigned(0)),
    ("220100", Unsigned(256)),
    ("24ffffffff", Unsigned(2**32 - 1)),
    ("3148", Integer(72)),
    ("31ff", Integer(-1)),
    ("3180", Integer(-128)),
    ("320080", Integer(128)),
    ("32ff7f", Integer(-129)),
    ("4442900000", Real(72.0)),
    ("55084052000000000000", Double(72.0)),
    ("631234ff", OctetString(b"\x12\x34\xff")),
    ("7519" + "00" + b"This is a BACnet string!".hex(), CharacterString("This is a BACnet string!")),
    ("7506" + "00" + "c3a974c3a9", CharacterString("été")),
    ("8203a8", BitString((True, False, True, False, True))),
    ("8100", BitString(())),
    ("9100", Enumerated(0)),
    ("a45b011804", Date(91, 1, 24, 4)),
    ("b411232d11", Time(17, 35, 45, 17)),
    ("c400c0000f", ObjectId(3, 15)),
    ("c4ffffffff", ObjectId(1023, 4194303)),
]


@pytest.mark.parametrize(("octets", "value"), EXAMPLES, ids=[octets for octets, _ in EXAMPLES])
def test_the_examples_of_the_standard(octets: str, value: Atom) -> None:
    assert application(value).hex() == octets
    reader = Reader(bytes.fromhex(octets))
    assert reader.value() == value
    assert reader.done


@pytest.mark.parametrize(
    ("octets", "value"),
    [("0c00000005", ObjectId(0, 5)), ("0955", Unsigned(0x55)), ("0901", Boolean(True)), ("08", Null())],
)
def test_context_tag_0(octets: str, value: Atom) -> None:
    assert context(0, value).hex() == octets
    assert Reader(bytes.fromhex(octets)).context(0, type(value)) == value


def test_a_context_tag_over_14_takes_a_second_octet() -> None:
    assert context(27, Unsigned(1)).hex() == "f91b01"
    assert Reader(bytes.fromhex("f91b01")).context(27, Unsigned) == Unsigned(1)
    assert enclosed(27, b"").hex() == "fe1bff1b"
    assert Reader(bytes.fromhex("fe1bff1b")).enclosed(27) == b""


def test_a_length_over_4_is_spelt_out() -> None:
    for length, head in ((5, "6505"), (253, "65fd"), (254, "65fe00fe"), (65535, "65feffff"), (65536, "65ff00010000")):
        octets = application(OctetString(bytes(length)))
        assert octets[: len(head) // 2].hex() == head
        assert Reader(octets).value() == OctetString(bytes(length))


def test_text_of_other_charsets_is_read() -> None:
    assert Reader(bytes.fromhex("7304" + "00e9")).value() == CharacterString("é")
    assert Reader(bytes.fromhex("7205" + "e9")).value() == CharacterString("é")
    assert Reader(bytes.fromhex("7505" + "03000000e9")).value() == CharacterString("é")


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "22",
        "2201",
        "20",  # an Unsigned without contents
        "220001",  # not the shortest form
        "32ff80",
        "12",  # neither true nor false
        "0100",  # a Null with contents
        "43429000",
        "5504405200000000",
        "70",
        "7202e9",  # JIS is not simulated
        "7300ffff",  # no UTF-8
        "80",
        "8108",
        "8105",
        "820900",
        "a35b0118",
        "c3000001",
        "d100",  # reserved
        "0901",  # a context tag where an application tag is due
        "0e",
        "06",  # an opening application tag cannot be
        "f10e01",  # an extended number below 15
        "f9ff01",  # tag number 255 is reserved
        "6504aabbccdd",  # an extended length below 5
        "65fe0005aabbccddee",
        "65ff00000005aabbccddee",
        "65ffffffffff",
        "65fe",
        "f1",
    ],
)
def test_what_the_standard_does_not_allow(octets: str) -> None:
    with pytest.raises(DecodeError):
        Reader(bytes.fromhex(octets)).value()


def test_tags_must_balance() -> None:
    assert Reader(bytes.fromhex("3e 1e 0955 1f 4442900000 11 3f")).enclosed(3).hex() == "1e09551f444290000011"
    for octets in ("3e", "3e4442900000", "3e1e3f1f", "3e2f", "2e2f", "3e21"):
        with pytest.raises(DecodeError):
            Reader(bytes.fromhex(octets)).enclosed(3)


def test_a_real_beyond_single_precision_is_an_infinity() -> None:
    assert application(Real(1e39)).hex() == "447f800000"
    assert application(Real(-1e39)).hex() == "44ff800000"


octet = st.integers(0, 255)
single = st.floats(width=32, allow_nan=False)
atoms: st.SearchStrategy[Atom] = st.one_of(
    st.just(Null()),
    st.booleans().map(Boolean),
    st.integers(0, 2**64 - 1).map(Unsigned),
    st.integers(-(2**63), 2**63 - 1).map(Integer),
    single.map(Real),
    st.floats(allow_nan=False).map(Double),
    st.binary(max_size=300).map(OctetString),
    st.text(max_size=100).map(CharacterString),
    st.lists(st.booleans(), max_size=80).map(lambda bits: BitString(tuple(bits))),
    st.integers(0, 2**32 - 1).map(Enumerated),
    st.builds(Date, octet, octet, octet, octet),
    st.builds(Time, octet, octet, octet, octet),
    st.builds(ObjectId, st.integers(0, 1023), st.integers(0, 2**22 - 1)),
)


@given(st.lists(atoms, max_size=6))
def test_application_round_trip(values: list[Atom]) -> None:
    reader = Reader(b"".join(application(value) for value in values))
    assert [reader.value() for _ in values] == values
    assert reader.done


@given(st.integers(0, 254), atoms)
def test_context_round_trip(number: int, value: Atom) -> None:
    reader = Reader(enclosed(number, context(number, value)))
    inner = Reader(reader.enclosed(number))
    assert reader.done
    assert inner.context(number, type(value)) == value
    assert inner.done


@given(atoms, st.data())
def test_a_cut_value_is_never_a_value(value: Atom, data: st.DataObject) -> None:
    octets = application(value)
    with pytest.raises(DecodeError):
        Reader(octets[: data.draw(st.integers(0, len(octets) - 1))]).value()


@given(st.binary(max_size=12))
def test_whatever_is_decoded_was_in_its_only_form(octets: bytes) -> None:
    reader = Reader(octets)
    try:
        value = reader.value()
    except DecodeError:
        return
    read = octets[: len(octets) - len(reader.rest())]
    if isinstance(value, Real | Double):
        assert len(read) == struct.calcsize(">f" if isinstance(value, Real) else ">d") + (1 + isinstance(value, Double))
    elif not isinstance(value, CharacterString | BitString):
        assert application(value) == read
