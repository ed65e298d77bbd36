"""The BACnet/IP face of one simulated device: a UDP socket, strict as a real controller, with faults to switch on.

Segmentation is not supported, as on most field controllers: what does not fit is aborted, and the client has to ask
for less. An I-Am goes to the asker alone: devices share one loopback address, so a broadcast would reach nobody
else, and the standard allows a unicast I-Am.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from typing import Protocol

from sim import bacnet_apdu as apdu
from sim import bacnet_services as services
from sim.bacnet_apdu import Address, Answer, BvlcRefusal, ConfirmedRequest, Frame, Peer, UnconfirmedRequest
from sim.bacnet_cov import SubscriptionTable
from sim.bacnet_device import Database, Identity
from sim.bacnet_properties import ServiceError
from sim.bacnet_schedule import OwnObject
from sim.bacnet_values import DecodeError
from sim.bacnet_words import (
    AbortReason,
    Confirmed,
    ErrorClass,
    ErrorCode,
    RejectReason,
    Unconfirmed,
)
from sim.objects import BacnetObject
from sim.udp import UdpSide

INVOKE_IDS = 256


class Faults(Protocol):
    """What may be wrong with a device, asked at every datagram."""

    @property
    def deaf(self) -> bool:
        """Requests do not arrive."""
        ...

    @property
    def silent(self) -> bool:
        """Nothing that it sends arrives; what it heard it obeys."""
        ...

    @property
    def delay_s(self) -> float:
        """Every answer comes so much later; beyond the client's timeout it comes too late."""
        ...

    @property
    def garbage(self) -> bool:
        """Answers are cut short and scrambled in turn; the requests still take effect."""
        ...

    @property
    def abort(self) -> int | None:
        """Every confirmed request is answered with this abort reason and has no effect."""
        ...

    @property
    def no_rpm(self) -> bool:
        """ReadPropertyMultiple is not known."""
        ...

    @property
    def max_apdu(self) -> int | None:
        """The longest APDU that it takes and gives; None: as its identity says."""
        ...

    @property
    def cov_lost(self) -> bool:
        """Subscriptions are acknowledged and forgotten, those there were too; no notification is sent."""
        ...

    @property
    def cov_rows(self) -> int | None:
        """How many subscriptions there is room for; None: as many as its identity says."""
        ...


@dataclass(slots=True)
class WireFaults:
    """Faults to switch on and off by hand."""

    deaf: bool = False
    silent: bool = False
    delay_s: float = 0.0
    garbage: bool = False
    abort: int | None = None
    no_rpm: bool = False
    max_apdu: int | None = None
    cov_lost: bool = False
    cov_rows: int | None = None


@dataclass(slots=True)
class _Notification:
    """A confirmed notification that waits for its ack, to be sent ``tries_left`` times more."""

    peer: Peer
    request: bytes
    tries_left: int
    timer: asyncio.TimerHandle


def _keep_the_time(_: datetime) -> None:
    """For a clock that cannot be set."""


class BacnetDevice(UdpSide):
    """One device on ``host``:``port`` (0: any free one, see ``port`` after ``start``).

    ``seconds`` is the clock of subscription lifetimes, ``now`` the device's local time, which ``set_clock`` sets.
    Whoever changes an object from inside calls ``tick``; writes over the wire do it by themselves.
    """

    def __init__(
        self,
        host: str,
        port: int,
        identity: Identity,
        objects: Sequence[BacnetObject],
        *,
        now: Callable[[], datetime],
        faults: Faults | None = None,
        seconds: Callable[[], float] = time.monotonic,
        set_clock: Callable[[datetime], None] = _keep_the_time,
        owns: Sequence[OwnObject] = (),
    ) -> None:
        super().__init__()
        self.host, self.port, self.identity = host, port, identity
        self.faults: Faults = WireFaults() if faults is None else faults
        self._seconds, self._set_clock = seconds, set_clock
        self._now, self._owns = now, owns
        self._database = Database(
            identity, objects, now, lambda: self._subscriptions.listed(seconds()), owns, lambda: self.abilities
        )
        self._subscriptions = SubscriptionTable(identity, self._database.points)
        self._services: dict[int, Callable[[bytes, Peer], bytes | None]] = {
            Confirmed.READ_PROPERTY: lambda body, _: services.read_one(self._database, body),
            Confirmed.WRITE_PROPERTY: lambda body, _: services.write_one(self._database, body),
            Confirmed.SUBSCRIBE_COV: self._subscribe,
        }
        self._services[Confirmed.READ_PROPERTY_MULTIPLE] = lambda body, _: services.read_many(self._database, body)
        self._late: set[asyncio.TimerHandle] = set()
        self._notifications: dict[int, _Notification] = {}
        self._next_invoke_id = 0
        self._spoil = cycle((_cut_short, _scrambled))

    @property
    def abilities(self) -> Identity:
        """Its identity with what it can do just now."""
        faults, identity = self.faults, self.identity
        max_apdu = identity.max_apdu if faults.max_apdu is None else faults.max_apdu
        return replace(identity, supports_rpm=identity.supports_rpm and not faults.no_rpm, max_apdu=max_apdu)

    @property
    def subscribers(self) -> int:
        """How many rows the subscription table has."""
        return len(self._subscriptions)

    async def start(self) -> None:
        """Bind; OSError when the port is taken."""
        _, self.port = await self._bind((self.host, self.port))

    async def stop(self) -> None:
        """Close the socket and forget what was under way; subscriptions are lost as in a restart."""
        for timer in (*self._late, *(pending.timer for pending in self._notifications.values())):
            timer.cancel()
        self._late.clear()
        self._notifications.clear()
        self._subscriptions.clear()
        await self._unbind()

    def announce(self, peer: Peer) -> None:
        """I-Am to ``peer``."""
        self._send(peer, apdu.unconfirmed_request(Unconfirmed.I_AM, services.i_am(self.abilities)))

    def tick(self) -> None:
        """Let the schedules do what is due, send the notifications that are, drop subscriptions that are over."""
        for own in self._owns:
            own.step(self._now())
        if self.faults.cov_lost:
            self._subscriptions.clear()
        for row, body in self._subscriptions.due(self._seconds()):
            if row.confirmed:
                self._notify_confirmed(row.peer, body)
            else:
                self._send(row.peer, apdu.unconfirmed_request(Unconfirmed.COV_NOTIFICATION, body))

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """One datagram; what is not BACnet/IP for this device is passed over in silence."""
        if self.faults.deaf:
            return
        try:
            frame = apdu.parse_datagram(data, addr)
            if isinstance(frame, BvlcRefusal):
                self._transmit(apdu.bvlc_result(frame.code), addr)
            elif frame is not None:
                self._hear(frame)
        except DecodeError:
            return

    def _hear(self, frame: Frame) -> None:
        heard = apdu.parse_apdu(frame.apdu)
        if isinstance(heard, ConfirmedRequest):
            if not frame.broadcast:
                self._send(frame.peer, self._answer(heard, len(frame.apdu), frame.peer))
                self.tick()
        elif isinstance(heard, UnconfirmedRequest):
            if heard.service == Unconfirmed.WHO_IS and services.asks_for(self.identity, heard.body):
                self.announce(frame.peer)
            elif heard.service == Unconfirmed.UTC_TIME_SYNCHRONIZATION:
                self._set_clock(services.time_told(heard.body).replace(tzinfo=UTC))
            elif heard.service == Unconfirmed.TIME_SYNCHRONIZATION:
                self._set_clock(services.time_told(heard.body))
        elif isinstance(heard, Answer):
            self._settle(frame.peer, heard.invoke_id)

    def _answer(self, request: ConfirmedRequest, length: int, peer: Peer) -> bytes:
        invoke_id, service = request.invoke_id, request.service
        if self.faults.abort is not None:
            return apdu.abort(invoke_id, self.faults.abort)
        if request.segmented:
            return apdu.abort(invoke_id, AbortReason.SEGMENTATION_NOT_SUPPORTED)
        abilities = self.abilities
        if length > abilities.max_apdu:
            return apdu.abort(invoke_id, AbortReason.BUFFER_OVERFLOW)
        serve = self._services.get(service)
        if serve is None or (service == Confirmed.READ_PROPERTY_MULTIPLE and not abilities.supports_rpm):
            return apdu.reject(invoke_id, RejectReason.UNRECOGNIZED_SERVICE)
        try:
            body = serve(request.body, peer)
        except DecodeError as error:
            return apdu.reject(invoke_id, error.reject)
        except ServiceError as error:
            return apdu.error(invoke_id, service, error.error_class, error.code)
        if body is None:
            return apdu.simple_ack(invoke_id, service)
        answer = apdu.complex_ack(invoke_id, service, body)
        if len(answer) > min(abilities.max_apdu, request.max_apdu):
            return apdu.abort(invoke_id, AbortReason.SEGMENTATION_NOT_SUPPORTED)
        return answer

    def _subscribe(self, body: bytes, peer: Peer) -> None:
        request = services.subscribe_request(body)
        if self._database.entry(request.object).point is None:
            raise ServiceError(ErrorClass.OBJECT, ErrorCode.OPTIONAL_FUNCTIONALITY_NOT_SUPPORTED)
        self._subscriptions.apply(request, peer, self._seconds(), self.faults.cov_rows)

    def _notify_confirmed(self, peer: Peer, body: bytes) -> None:
        if self._transport is None or len(self._notifications) == INVOKE_IDS:
            return
        while self._next_invoke_id in self._notifications:
            self._next_invoke_id = (self._next_invoke_id + 1) % INVOKE_IDS
        invoke_id = self._next_invoke_id
        self._next_invoke_id = (invoke_id + 1) % INVOKE_IDS
        request = apdu.confirmed_request(invoke_id, Confirmed.COV_NOTIFICATION, body)
        self._try(invoke_id, peer, request, self.identity.apdu_retries)

    def _try(self, invoke_id: int, peer: Peer, request: bytes, tries_left: int) -> None:
        self._send(peer, request, expects_reply=True)
        timer = asyncio.get_running_loop().call_later(self.identity.apdu_timeout_s, self._unanswered, invoke_id)
        self._notifications[invoke_id] = _Notification(peer, request, tries_left, timer)

    def _unanswered(self, invoke_id: int) -> None:
        pending = self._notifications.pop(invoke_id)
        if pending.tries_left:
            self._try(invoke_id, pending.peer, pending.request, pending.tries_left - 1)

    def _settle(self, peer: Peer, invoke_id: int) -> None:
        pending = self._notifications.get(invoke_id)
        if pending is not None and pending.peer == peer:
            pending.timer.cancel()
            del self._notifications[invoke_id]

    def _send(self, peer: Peer, message: bytes, *, expects_reply: bool = False) -> None:
        octets = apdu.datagram(peer, message, expects_reply=expects_reply)
        if self.faults.garbage:
            octets = next(self._spoil)(octets)
        if self.faults.delay_s <= 0.0:
            self._transmit(octets, peer.address)
            return
        loop = asyncio.get_running_loop()
        self._late = {timer for timer in self._late if timer.when() >= loop.time()}
        self._late.add(loop.call_later(self.faults.delay_s, self._transmit, octets, peer.address))

    def _transmit(self, octets: bytes, address: Address) -> None:
        if not self.faults.silent:
            super()._transmit(octets, address)


def _cut_short(octets: bytes) -> bytes:
    """The datagram without its last octet, its length corrected."""
    return apdu.bvlc(octets[1], octets[4:-1])


def _scrambled(octets: bytes) -> bytes:
    return bytes(octet ^ 0xA5 for octet in octets)
