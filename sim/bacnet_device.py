"""What a simulated BACnet device is: its identity, its device object and its objects by identifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sim.bacnet_codec import application
from sim.bacnet_properties import (
    OPTIONAL_OF_OBJECTS,
    Encoded,
    ServiceError,
    Table,
    object_id,
    object_table,
    with_property_list,
)
from sim.bacnet_schedule import OwnObject
from sim.bacnet_values import (
    MAX_INSTANCE,
    BitString,
    Boolean,
    CharacterString,
    Date,
    Enumerated,
    Integer,
    ObjectId,
    Time,
    Unsigned,
)
from sim.bacnet_words import (
    NO_SEGMENTATION,
    OBJECT_TYPE_BITS,
    SERVICE_BIT,
    SERVICE_BITS,
    ErrorClass,
    ErrorCode,
    ObjectType,
    Property,
)
from sim.objects import BacnetObject

PROTOCOL_VERSION, PROTOCOL_REVISION = 1, 14
OPERATIONAL = 0
OPTIONAL_OF_DEVICE = frozenset(
    {Property.LOCAL_DATE, Property.LOCAL_TIME, Property.UTC_OFFSET, Property.DAYLIGHT_SAVINGS_STATUS}
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the device says it is and what it can do. ``max_apdu`` in octets, ``cov_table`` in subscriptions."""

    instance: int
    name: str
    vendor_id: int = 999
    vendor_name: str = "Simulated"
    model: str = "Simulated controller"
    supports_rpm: bool = True
    max_apdu: int = 1476
    cov_table: int = 16
    apdu_timeout_s: float = 3.0
    apdu_retries: int = 3

    @property
    def object_id(self) -> ObjectId:
        """The device object's identifier."""
        return ObjectId(ObjectType.DEVICE, self.instance)


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the database: a ``point``, an ``own`` object of constructed properties, or the device object."""

    id: ObjectId
    table: Table
    optional: frozenset[Property]
    point: BacnetObject | None = None
    own: OwnObject | None = None


class Database:
    """The objects of one device, the device object first."""

    def __init__(
        self,
        identity: Identity,
        objects: Iterable[BacnetObject],
        now: Callable[[], datetime],
        subscriptions: Callable[[], bytes],
        owns: Sequence[OwnObject] = (),
        abilities: Callable[[], Identity] | None = None,
    ) -> None:
        entries = [Entry(object_id(point), object_table(point), OPTIONAL_OF_OBJECTS, point) for point in objects]
        entries += [Entry(own.id, with_property_list(own.table()), frozenset(), own=own) for own in owns]
        self._entries = {entry.id: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise ValueError(f"two objects of device {identity.instance} have one identifier")
        self._wildcard = Entry(
            identity.object_id,
            _device_table(
                identity, (identity.object_id, *self._entries), now, subscriptions, abilities or (lambda: identity)
            ),
            OPTIONAL_OF_DEVICE,
        )
        self._entries[identity.object_id] = self._wildcard

    @property
    def points(self) -> Mapping[ObjectId, BacnetObject]:
        """The objects but for the device object."""
        return {key: entry.point for key, entry in self._entries.items() if entry.point is not None}

    def entry(self, wanted: ObjectId) -> Entry:
        """The object; raises unknown-object."""
        found = self._entries.get(wanted)
        if found is None:
            raise ServiceError(ErrorClass.OBJECT, ErrorCode.UNKNOWN_OBJECT)
        return found

    def readable(self, wanted: ObjectId) -> Entry:
        """The same for a read, where instance 4194303 means the device object of whoever is asked."""
        if wanted == ObjectId(ObjectType.DEVICE, MAX_INSTANCE):
            return self._wildcard
        return self.entry(wanted)


def _device_table(
    identity: Identity,
    object_list: tuple[ObjectId, ...],
    now: Callable[[], datetime],
    subscriptions: Callable[[], bytes],
    abilities: Callable[[], Identity],
) -> Table:
    fixed = {
        Property.OBJECT_IDENTIFIER: identity.object_id,
        Property.OBJECT_NAME: CharacterString(identity.name),
        Property.OBJECT_TYPE: Enumerated(ObjectType.DEVICE),
        Property.SYSTEM_STATUS: Enumerated(OPERATIONAL),
        Property.VENDOR_NAME: CharacterString(identity.vendor_name),
        Property.VENDOR_IDENTIFIER: Unsigned(identity.vendor_id),
        Property.MODEL_NAME: CharacterString(identity.model),
        Property.FIRMWARE_REVISION: CharacterString("1"),
        Property.APPLICATION_SOFTWARE_VERSION: CharacterString("1"),
        Property.PROTOCOL_VERSION: Unsigned(PROTOCOL_VERSION),
        Property.PROTOCOL_REVISION: Unsigned(PROTOCOL_REVISION),
        Property.PROTOCOL_OBJECT_TYPES_SUPPORTED: _bits(OBJECT_TYPE_BITS, {item.type for item in object_list}),
        Property.SEGMENTATION_SUPPORTED: Enumerated(NO_SEGMENTATION),
        Property.APDU_TIMEOUT: Unsigned(round(identity.apdu_timeout_s * 1000)),
        Property.NUMBER_OF_APDU_RETRIES: Unsigned(identity.apdu_retries),
        Property.DATABASE_REVISION: Unsigned(1),
    }
    table: dict[int, Callable[[], Encoded]] = {name: partial(application, value) for name, value in fixed.items()}
    identifiers = tuple(application(item) for item in object_list)
    table[Property.PROTOCOL_SERVICES_SUPPORTED] = lambda: application(_services(abilities()))
    table[Property.MAX_APDU_LENGTH_ACCEPTED] = lambda: application(Unsigned(abilities().max_apdu))
    table[Property.OBJECT_LIST] = lambda: identifiers
    table[Property.DEVICE_ADDRESS_BINDING] = lambda: b""
    table[Property.ACTIVE_COV_SUBSCRIPTIONS] = subscriptions
    table[Property.LOCAL_DATE] = lambda: application(_date(now()))
    table[Property.LOCAL_TIME] = lambda: application(_time(now()))
    table[Property.UTC_OFFSET] = lambda: application(_utc_offset(now()))
    table[Property.DAYLIGHT_SAVINGS_STATUS] = lambda: application(Boolean(bool(now().dst())))
    return with_property_list(table)


def _services(identity: Identity) -> BitString:
    executed = set(SERVICE_BIT) - (set() if identity.supports_rpm else {"read-property-multiple"})
    return _bits(SERVICE_BITS, {SERVICE_BIT[name] for name in executed})


def _bits(length: int, places: set[int]) -> BitString:
    return BitString(tuple(place in places for place in range(length)))


def _utc_offset(at: datetime) -> Integer:
    """Minutes west of UTC, without summer time."""
    offset, summer = at.utcoffset() or timedelta(0), at.dst() or timedelta(0)
    return Integer(-round((offset - summer).total_seconds() / 60))


def _date(at: datetime) -> Date:
    return Date(at.year - 1900, at.month, at.day, at.isoweekday())


def _time(at: datetime) -> Time:
    return Time(at.hour, at.minute, at.second, at.microsecond // 10_000)
