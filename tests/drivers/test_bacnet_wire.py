"""Our own octets against the library's encoder and decoder, and against whatever a network may bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from bacpypes3.apdu import (  # type: ignore[import-untyped]
    APCISequence,
    ComplexAckPDU,
    ConfirmedRequestPDU,
    ReadPropertyACK,
    ReadPropertyMultipleACK,
    ReadPropertyMultipleRequest,
    ReadPropertyRequest,
    SubscribeCOVRequest,
    UnconfirmedCOVNotificationRequest,
    WritePropertyRequest,
)
from bacpypes3.basetypes import (  # type: ignore[import-untyped]
    ErrorType,
    PropertyReference,
    PropertyValue,
    ReadAccessResult,
    ReadAccessResultElement,
    ReadAccessResultElementChoice,
    ReadAccessSpecification,
)
from bacpypes3.primitivedata import (  # type: ignore[import-untyped]
    ApplicationTag,
    ClosingTag,
    ObjectIdentifier,
    OpeningTag,
    PropertyIdentifier,
    TagClass,
    TagList,
)
from bacpypes3.primitivedata import Tag as TheirTag
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.bacnet import wire
from drivers.bacnet.codec import Atom, Atoms, ObjectId, Ref, Tag
from drivers.bacnet.wire import Denied, Malformed, Notification, Property

OBJECTS = st.builds(ObjectId, st.integers(0, 1023), st.integers(0, 4_194_303))
PROPERTIES = st.integers(0, 4_194_303)
REFS = st.builds(Ref, OBJECTS, PROPERTIES)
PLAIN_TAGS = [t for t in range(13) if t != Tag.BOOLEAN]
ATOMS = st.one_of(
    st.builds(Atom, st.sampled_from(PLAIN_TAGS), st.binary(max_size=12)),
    st.builds(lambda truth: Atom(Tag.BOOLEAN, bytes([truth])), st.booleans()),
)
CONTENTS = st.lists(ATOMS, max_size=5).map(tuple)
DENIALS = st.builds(Denied, st.integers(0, 7), st.integers(0, 200))
UNSIGNED = st.integers(0, 2**32 - 1)


def identifier(object_: ObjectId) -> Any:
    return ObjectIdentifier((object_.type, object_.instance))


def tag(atom: Atom) -> Any:
    if atom.tag == Tag.BOOLEAN:
        return TheirTag(TagClass.application, Tag.BOOLEAN, atom.octets[0], b"")
    return ApplicationTag(atom.tag, atom.octets)


def any_value(content: Sequence[Atom], number: int) -> Any:
    """Whatever stands between two brackets, for the library."""
    return TagList([OpeningTag(number), *map(tag, content), ClosingTag(number)])


def encoded(message: Any) -> bytes:
    return bytes(message.encode().pduData)


@given(REFS)
def test_read_property(ref: Ref) -> None:
    theirs = ReadPropertyRequest(
        objectIdentifier=identifier(ref.object), propertyIdentifier=PropertyIdentifier(ref.property)
    )
    assert wire.read_property(ref) == encoded(theirs)


@given(st.lists(REFS, min_size=1, max_size=10))
def test_read_many(refs: list[Ref]) -> None:
    wanted: dict[ObjectId, list[int]] = {}
    for ref in dict.fromkeys(refs):
        wanted.setdefault(ref.object, []).append(ref.property)
    theirs = ReadPropertyMultipleRequest(
        listOfReadAccessSpecs=[
            ReadAccessSpecification(
                objectIdentifier=identifier(object_),
                listOfPropertyReferences=[
                    PropertyReference(propertyIdentifier=PropertyIdentifier(number)) for number in numbers
                ],
            )
            for object_, numbers in wanted.items()
        ]
    )
    assert wire.read_many(refs) == encoded(theirs)


@given(REFS, ATOMS, st.one_of(st.none(), st.integers(1, 16)))
def test_write_property(ref: Ref, value: Atom, priority: int | None) -> None:
    theirs = WritePropertyRequest(
        objectIdentifier=identifier(ref.object),
        propertyIdentifier=PropertyIdentifier(ref.property),
        propertyValue=any_value([value], 3),
    )
    if priority is not None:
        theirs.priority = priority
    assert wire.write_property(ref, value, priority) == encoded(theirs)


@given(UNSIGNED, OBJECTS, UNSIGNED, st.booleans())
def test_subscribe_and_cancel(process: int, object_: ObjectId, lifetime_s: int, confirmed: bool) -> None:
    theirs = SubscribeCOVRequest(
        subscriberProcessIdentifier=process,
        monitoredObjectIdentifier=identifier(object_),
        issueConfirmedNotifications=confirmed,
        lifetime=lifetime_s,
    )
    end = SubscribeCOVRequest(subscriberProcessIdentifier=process, monitoredObjectIdentifier=identifier(object_))
    assert wire.subscribe_cov(process, object_, lifetime_s, confirmed=confirmed) == encoded(theirs)
    assert wire.cancel_cov(process, object_) == encoded(end)


@given(REFS, CONTENTS, st.one_of(st.none(), UNSIGNED))
def test_read_answer(ref: Ref, content: Atoms, element: int | None) -> None:
    theirs = ReadPropertyACK(
        objectIdentifier=identifier(ref.object),
        propertyIdentifier=PropertyIdentifier(ref.property),
        propertyValue=any_value(content, 3),
    )
    if element is not None:
        theirs.propertyArrayIndex = element
    assert wire.read_answer(encoded(theirs)) == Property(ref, element, content)


def many(results: Sequence[tuple[ObjectId, Sequence[tuple[int, Atoms | Denied]]]]) -> bytes:
    """An answer to a ReadPropertyMultiple, by the library."""
    return encoded(
        ReadPropertyMultipleACK(
            listOfReadAccessResults=[
                ReadAccessResult(
                    objectIdentifier=identifier(object_),
                    listOfResults=[
                        ReadAccessResultElement(
                            propertyIdentifier=PropertyIdentifier(number),
                            readResult=ReadAccessResultElementChoice(
                                propertyAccessError=ErrorType(
                                    errorClass=content.error_class, errorCode=content.error_code
                                )
                            )
                            if isinstance(content, Denied)
                            else ReadAccessResultElementChoice(propertyValue=any_value(content, 4)),
                        )
                        for number, content in elements
                    ],
                )
                for object_, elements in results
            ]
        )
    )


RESULTS = st.lists(
    st.tuples(OBJECTS, st.lists(st.tuples(PROPERTIES, st.one_of(CONTENTS, DENIALS)), min_size=1, max_size=4)),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(RESULTS)
def test_read_many_answer(results: list[tuple[ObjectId, list[tuple[int, Atoms | Denied]]]]) -> None:
    expected = [
        Property(Ref(object_, number), None, content) for object_, elements in results for number, content in elements
    ]
    assert wire.read_many_answer(many(results)) == expected


@given(UNSIGNED, OBJECTS, OBJECTS, UNSIGNED, st.lists(st.tuples(PROPERTIES, CONTENTS), min_size=1, max_size=4))
def test_cov_notification(
    process: int, device: ObjectId, object_: ObjectId, remaining_s: int, values: list[tuple[int, Atoms]]
) -> None:
    theirs = UnconfirmedCOVNotificationRequest(
        subscriberProcessIdentifier=process,
        initiatingDeviceIdentifier=identifier(device),
        monitoredObjectIdentifier=identifier(object_),
        timeRemaining=remaining_s,
        listOfValues=[
            PropertyValue(propertyIdentifier=PropertyIdentifier(number), value=any_value(content, 2))
            for number, content in values
        ],
    )
    expected = Notification(process, device, object_, remaining_s, tuple(values))
    assert wire.cov_notification(encoded(theirs)) == expected


@given(DENIALS)
def test_error(denied: Denied) -> None:
    octets = wire.application(Atom(Tag.ENUMERATED, bytes([denied.error_class])))
    octets += wire.application(Atom(Tag.ENUMERATED, bytes([denied.error_code])))
    assert wire.error(octets) == denied


PRIORITY_ARRAY = tuple(Atom(Tag.REAL, b"\x41\xa0\x00\x00") if slot == 8 else Atom(Tag.NULL) for slot in range(1, 17))
AI_1, AV_1 = ObjectId(0, 1), ObjectId(2, 1)
FLAGS = (Atom(Tag.BIT_STRING, b"\x04\x00"),)
CELSIUS = (Atom(Tag.REAL, b"\x41\xa9\x99\x9a"),)
VALID = many(
    [
        (AI_1, [(85, CELSIUS), (111, FLAGS)]),
        (AV_1, [(85, CELSIUS), (111, FLAGS), (87, PRIORITY_ARRAY)]),
        (ObjectId(5, 300), [(85, Denied(1, 31)), (111, FLAGS)]),
    ]
)
VALID_ONE = encoded(
    ReadPropertyACK(
        objectIdentifier=identifier(AI_1),
        propertyIdentifier=PropertyIdentifier(85),
        propertyValue=any_value(CELSIUS, 3),
    )
)
VALID_NOTIFICATION = bytes.fromhex("091e1c020000042c00000001393c4e09552e4441a9999a2f096f2e8204002f4f")
READERS = [(wire.read_many_answer, VALID), (wire.read_answer, VALID_ONE), (wire.cov_notification, VALID_NOTIFICATION)]
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "drop", "double", "insert"]), st.integers(0, 400), st.integers(0, 255)),
    min_size=1,
    max_size=3,
)


def mutated(octets: bytes, mutations: list[tuple[str, int, int]]) -> bytes:
    for kind, where, octet in mutations:
        at = where % (len(octets) + 1)
        if kind == "flip":
            octets = octets[:at] + bytes(b ^ (octet or 1) for b in octets[at : at + 1]) + octets[at + 1 :]
        elif kind == "cut":
            octets = octets[:at]
        elif kind == "drop":
            octets = octets[:at] + octets[at + 1 :]
        elif kind == "double":
            octets = octets[:at] + octets[at : at + octet] + octets[at:]
        else:
            octets = octets[:at] + bytes([octet]) + octets[at:]
    return octets


def library_takes(octets: bytes) -> list[tuple[Ref, Any]] | None:
    """The values of an answer to many as the library decodes them, None where it refuses."""
    ack = ComplexAckPDU(14, 1)
    ack.put_data(octets)
    try:
        answer = APCISequence.decode(ack)
    except Exception:  # noqa: BLE001  (whatever it raises is a refusal)
        return None
    found = []
    for result in answer.listOfReadAccessResults:
        for element in result.listOfResults or ():
            ref = Ref(ObjectId(int(result.objectIdentifier[0]), int(result.objectIdentifier[1])), 0)
            ref = ref._replace(property=int(element.propertyIdentifier))
            error = element.readResult.propertyAccessError
            value = None if error else [bytes(t.tag_data) for t in element.readResult.propertyValue.tagList[1:-1]]
            found.append((ref, value))
    return found


@settings(max_examples=400, deadline=None)
@given(MUTATIONS)
def test_a_mutated_answer_is_refused_or_what_the_library_reads_in_it(mutations: list[tuple[str, int, int]]) -> None:
    octets = mutated(VALID, mutations)
    try:
        ours = wire.read_many_answer(octets)
    except Malformed:
        return
    theirs = library_takes(octets)
    if theirs is None:  # it checks some numbers against its own lists
        return
    assert [found.ref for found in ours] == [ref for ref, _ in theirs]
    for found, (_, value) in zip(ours, theirs, strict=True):
        content = found.content
        if not isinstance(content, Denied) and all(a.tag not in (Tag.CONSTRUCTED, Tag.BOOLEAN) for a in content):
            assert [atom.octets for atom in content] == value


@pytest.mark.parametrize(("reader", "valid"), READERS, ids=["many", "one", "notification"])
def test_every_cut_of_a_valid_answer_is_refused(reader: Any, valid: bytes) -> None:
    whole = reader(valid)
    for end in range(len(valid)):
        try:
            part = reader(valid[:end])
        except Malformed:
            continue
        assert reader is wire.read_many_answer, "only a list can end early, between two objects"
        assert part == whole[: len(part)]


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60), st.sampled_from(READERS))
def test_noise_is_refused(octets: bytes, at: int, reader: tuple[Any, bytes]) -> None:
    """Whatever comes: a value or Malformed, nothing else."""
    for candidate in (octets, reader[1][:at] + octets):
        try:
            reader[0](candidate)
        except Malformed:
            continue


def test_nested_brackets_are_one_atom() -> None:
    octets = VALID_ONE[: VALID_ONE.index(0x3E) + 1] + bytes.fromhex("2e0e21050f1a0102 2f 3f")
    assert wire.read_answer(octets).content == (Atom(Tag.CONSTRUCTED),)


def test_the_requests_fit_the_librarys_frame() -> None:
    """What we encode is decoded by the library's server side as what was meant."""
    request = ConfirmedRequestPDU(14, 1)
    request.put_data(wire.read_many([Ref(AI_1, 85), Ref(AI_1, 111)]))
    (specification,) = APCISequence.decode(request).listOfReadAccessSpecs
    assert [int(p.propertyIdentifier) for p in specification.listOfPropertyReferences] == [85, 111]
