"""Change-of-value subscriptions of a simulated device, without a socket (ASHRAE 135, 13.1 and 13.14)."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sim.bacnet_apdu import Peer
from sim.bacnet_codec import application, context, enclosed
from sim.bacnet_device import Identity
from sim.bacnet_properties import BINARY, MULTI_STATE, ServiceError, status_flags, typed
from sim.bacnet_services import Subscribe
from sim.bacnet_values import BitString, Boolean, Enumerated, ObjectId, OctetString, Real, Unsigned
from sim.bacnet_words import ErrorClass, ErrorCode, Property
from sim.objects import BacnetObject

LOCAL_NETWORK = 0

Key = tuple[Peer, int, ObjectId]


@dataclass(slots=True)
class Subscription:
    """One row: who wants to know of which object, until when (None: always), and what was last reported."""

    peer: Peer
    process: int
    object: ObjectId
    confirmed: bool
    ends_s: float | None
    reported: tuple[float, BitString] | None = None

    def remaining_s(self, at_s: float) -> int:
        """Whole seconds left, 0 where it never ends; a running one never says 0."""
        return 0 if self.ends_s is None else max(1, math.ceil(self.ends_s - at_s))


class SubscriptionTable:
    """The table, ``identity.cov_table`` rows at most. Times are seconds of the caller's clock."""

    def __init__(self, identity: Identity, points: Mapping[ObjectId, BacnetObject]) -> None:
        self._identity = identity
        self._points = points
        self._rows: dict[Key, Subscription] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def clear(self) -> None:
        """Forget everybody, as a controller does that was restarted."""
        self._rows.clear()

    def expire(self, at_s: float) -> None:
        """Drop the rows whose lifetime is over."""
        over = [key for key, row in self._rows.items() if row.ends_s is not None and row.ends_s <= at_s]
        for key in over:
            del self._rows[key]

    def apply(self, request: Subscribe, peer: Peer, at_s: float, room: int | None = None) -> None:
        """Add, renew or cancel; a new or renewed row is due for a notification. Raises ServiceError.

        ``room`` rows at most, None: as many as the device was made for.
        """
        self.expire(at_s)
        key = (peer, request.process, request.object)
        if request.confirmed is None:
            self._rows.pop(key, None)
            return
        if key not in self._rows and len(self._rows) >= (self._identity.cov_table if room is None else room):
            raise ServiceError(ErrorClass.RESOURCES, ErrorCode.NO_SPACE_TO_ADD_LIST_ELEMENT)
        ends_s = at_s + request.lifetime_s if request.lifetime_s else None
        self._rows[key] = Subscription(peer, request.process, request.object, request.confirmed, ends_s)

    def due(self, at_s: float) -> Iterator[tuple[Subscription, bytes]]:
        """The rows with something to report, and the notification; they then count as reported."""
        self.expire(at_s)
        for row in list(self._rows.values()):
            point = self._points[row.object]
            value, flags = point.shown(point.present_value()), status_flags(point)
            if _differs(point, row, value, flags):
                row.reported = (value, flags)
                yield row, self._notification(row, value, flags, at_s)

    def _notification(self, row: Subscription, value: float, flags: BitString, at_s: float) -> bytes:
        values = _property_value(Property.PRESENT_VALUE, application(typed(row.object.type, value)))
        values += _property_value(Property.STATUS_FLAGS, application(flags))
        return (
            context(0, Unsigned(row.process))
            + context(1, self._identity.object_id)
            + context(2, row.object)
            + context(3, Unsigned(row.remaining_s(at_s)))
            + enclosed(4, values)
        )

    def listed(self, at_s: float) -> bytes:
        """The device's active-cov-subscriptions: a list of BACnetCOVSubscription."""
        self.expire(at_s)
        return b"".join(self._row_listed(row, at_s) for row in self._rows.values())

    def _row_listed(self, row: Subscription, at_s: float) -> bytes:
        recipient = enclosed(1, _bacnet_address(row.peer))
        monitored = context(0, row.object) + context(1, Enumerated(Property.PRESENT_VALUE))
        encoded = (
            enclosed(0, enclosed(0, recipient) + context(1, Unsigned(row.process)))
            + enclosed(1, monitored)
            + context(2, Boolean(row.confirmed))
            + context(3, Unsigned(row.remaining_s(at_s)))
        )
        if row.object.type in BINARY | MULTI_STATE:
            return encoded
        return encoded + context(4, Real(self._points[row.object].cov_increment))


def _differs(point: BacnetObject, row: Subscription, value: float, flags: BitString) -> bool:
    if row.reported is None or row.reported[1] != flags:
        return True
    before = row.reported[0]
    if math.isnan(value) or math.isnan(before):
        return math.isnan(value) != math.isnan(before)
    if row.object.type in BINARY | MULTI_STATE:
        return typed(row.object.type, value) != typed(row.object.type, before)
    return value != before and abs(value - before) >= point.cov_increment


def _property_value(name: Property, encoded: bytes) -> bytes:
    return context(0, Enumerated(name)) + enclosed(2, encoded)


def _bacnet_address(peer: Peer) -> bytes:
    if peer.network is not None:
        return application(Unsigned(peer.network)) + application(OctetString(peer.mac))
    host, port = peer.address
    mac = ipaddress.IPv4Address(host).packed + port.to_bytes(2, "big")
    return application(Unsigned(LOCAL_NETWORK)) + application(OctetString(mac))
