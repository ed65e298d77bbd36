"""The one guarded door to bacpypes3: nothing else in the house calls it, and its errors end here.

Every call has a hard deadline, slightly longer than the library's own retries, and leaves no state machine
behind that could send again; an answer counts only when it names the object and property that were asked for.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Sequence
from typing import Any

from bacpypes3.apdu import (  # type: ignore[import-untyped]
    ErrorPDU,
    ErrorRejectAbortNack,
    ReadPropertyACK,
    ReadPropertyMultipleACK,
    SimpleAckPDU,
)
from bacpypes3.app import Application  # type: ignore[import-untyped]
from bacpypes3.appservice import ABORTED  # type: ignore[import-untyped]
from bacpypes3.basetypes import Segmentation, ServicesSupported  # type: ignore[import-untyped]
from bacpypes3.ipv4.link import NormalLinkLayer  # type: ignore[import-untyped]
from bacpypes3.local.device import DeviceObject  # type: ignore[import-untyped]
from bacpypes3.pdu import Address, IPv4Address  # type: ignore[import-untyped]
from bacpypes3.primitivedata import ObjectIdentifier  # type: ignore[import-untyped]

from drivers.api import BadAnswer, BindFailed, NoAnswer, NotConnected, Refused
from drivers.bacnet import messages
from drivers.bacnet.codec import ANY_INSTANCE, DEVICE, Atom, Atoms, ObjectId, Property, Ref
from drivers.bacnet.messages import Element, Pdu
from drivers.bacnet.noise import quieten
from drivers.bacnet.polling import OWN_MAX_APDU
from drivers.bacnet.settings import BacnetBus

PRIORITIES = frozenset({5, 10, 13})
"""The slots of a priority array that this house ever writes."""
OPEN_DEADLINE_S = 2.0
_MARGIN_S = 0.1
_VENDOR = 999

Stack = Any
"""An Application of the library, which carries no types."""


class Peer:
    """One device's address: a single request in flight, and an invoke id of its own (it wraps after 256)."""

    def __init__(self, address: str) -> None:
        self.address = Address(address)
        self.lock = asyncio.Lock()
        self._invoke_id = random.randrange(256)

    def next_invoke_id(self) -> int:
        """The next of 0 to 255."""
        self._invoke_id = (self._invoke_id + 1) % 256
        return self._invoke_id


class _Gateway(Application):  # type: ignore[misc]
    """Our own device on the network. It answers reads and Who-Is and lets nobody write."""

    do_WritePropertyRequest = None  # noqa: N815  (names of the library)
    do_WritePropertyMultipleRequest = None  # noqa: N815
    do_SubscribeCOVRequest = None  # noqa: N815
    do_DeviceCommunicationControlRequest = None  # noqa: N815

    def get_services_supported(self) -> Element:
        """What is left of the library's services."""
        return ServicesSupported(["read-property", "read-property-multiple", "who-is"])

    async def confirmation(self, apdu: Pdu) -> None:
        """An answer; the library reports an undecodable one as an error without the invoke id: restore it."""
        if isinstance(apdu, ErrorPDU) and apdu.apduInvokeID is None:
            for request, _ in self._requests.get(apdu.pduSource, ()):
                apdu.apduInvokeID = request.apduInvokeID
        await super().confirmation(apdu)


class Client:
    """Reads and writes properties of devices at known addresses. Raises only DriverError.

    One unicast socket, bound exclusively: no broadcast socket is opened and no other program can share the port.
    """

    def __init__(self, settings: BacnetBus) -> None:
        self._settings = settings
        self.deadline_s = settings.timeout_s * (settings.retries + 1) + _MARGIN_S
        self._app: Stack = None
        self._waiting: set[asyncio.Future[Pdu]] = set()

    async def open(self) -> None:
        """Bind and start. Raises BindFailed within OPEN_DEADLINE_S."""
        quieten()
        interface, _, port = self._settings.address.partition(":")
        host = interface.partition("/")[0]
        bound = _bind(host, int(port))
        app = _Gateway.from_object_list([_device_object(self._settings)])
        address = IPv4Address(f"{host}/32:{port}")
        link = NormalLinkLayer(address, bind_socket=bound)
        app.nsap.bind(link, address=address)
        app.link_layers[ObjectIdentifier(("network-port", 1))] = link
        try:
            async with asyncio.timeout(OPEN_DEADLINE_S):
                await link.server._local_transport_ready.wait()  # noqa: SLF001  (the library tells nowhere else)
        except TimeoutError:
            raise BindFailed(f"{self._settings.address}: the socket did not come up") from None
        finally:
            if link.server.local_transport is None:
                _give_up(link, bound)
        self._app = app

    async def close(self) -> None:
        """Fail what is waiting, stop every state machine, close the socket. Never raises."""
        app, self._app = self._app, None
        if app is None:
            return
        for future in self._waiting:
            if not future.done():
                future.set_exception(NotConnected("the bus is closing"))
        try:
            await asyncio.sleep(0)  # one turn for the sends that were scheduled: they still need the socket
        finally:
            for machine in [*app.asap.clientTransactions, *app.asap.serverTransactions]:
                machine.set_state(ABORTED)
            app.close()
        await asyncio.sleep(0)  # the transport closes its socket on the next turn

    async def read(self, peer: Peer, ref: Ref) -> Atoms:
        """One property. Raises Refused with the device's own words."""
        answer = await self._ask(peer, messages.read_request(peer.address, ref), ReadPropertyACK)
        answered = messages.reference(answer.objectIdentifier, answer.propertyIdentifier)
        if answered != ref:
            raise BadAnswer(f"asked for {messages.name_of(ref)}, answered {messages.name_of(answered)}")
        return messages.content(answer.propertyValue)

    async def read_many(self, peer: Peer, refs: Sequence[Ref]) -> dict[Ref, Atoms | Refused]:
        """Several properties at once; what the device refuses of them is a value. All of ``refs`` are in the answer.

        Raises AnswerTooLong or ServiceUnsupported where asking otherwise helps.
        """
        answer = await self._ask(peer, messages.read_many_request(peer.address, refs), ReadPropertyMultipleACK)
        found = dict(messages.results(answer))
        if found.keys() != set(refs):
            odd = next(iter(found.keys() ^ set(refs)))
            raise BadAnswer(f"the answer {'lacks' if odd in refs else 'brings a foreign'} {messages.name_of(odd)}")
        return found

    async def who(self, peer: Peer) -> ObjectId:
        """The device object that answers at ``peer``, whichever it is."""
        ref = Ref(ObjectId(DEVICE, ANY_INSTANCE), Property.OBJECT_IDENTIFIER)
        answer = await self._ask(peer, messages.read_request(peer.address, ref), ReadPropertyACK)
        return messages.object_id(answer.objectIdentifier)

    async def write(self, peer: Peer, ref: Ref, value: Atom, priority: int | None) -> None:
        """Write one property; ``priority`` None leaves it out. Returns on the device's acknowledgement."""
        if priority is not None and priority not in PRIORITIES:
            raise Refused(f"priority {priority} is never written")
        await self._ask(peer, messages.write_request(peer.address, ref, value, priority), SimpleAckPDU)

    async def _ask(self, peer: Peer, request: Pdu, expected: type) -> Pdu:
        async with peer.lock:
            if self._app is None:
                raise NotConnected("the bus is not open")
            answer = await self._exchange(self._app, peer, request)
        if not isinstance(answer, expected):
            raise BadAnswer("the answer is to another service")
        return answer

    async def _exchange(self, app: Stack, peer: Peer, request: Pdu) -> Pdu:
        request.apduInvokeID = peer.next_invoke_id()
        future = app.request(request)
        self._waiting.add(future)
        future.add_done_callback(_retrieved)
        try:
            async with asyncio.timeout(self.deadline_s):
                return await future
        except TimeoutError:
            raise NoAnswer(f"no answer within {self.deadline_s:.1f} s") from None
        except ErrorRejectAbortNack as error:
            raise messages.translated(error) from None
        finally:
            self._waiting.discard(future)
            _forget(app, request)


def _bind(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise BindFailed(f"{host}:{port}: {(error.strerror or str(error)).lower()}") from error
    bound.setblocking(False)
    return bound


def _give_up(link: Element, bound: socket.socket) -> None:
    """End the library's attempts, which it would repeat every second for ever."""
    for attempt in link.server._transport_tasks:  # noqa: SLF001  (it offers no other way)
        attempt.cancel()
    bound.close()


def _device_object(settings: BacnetBus) -> Element:
    milliseconds = max(1, round(settings.timeout_s * 1000))
    return DeviceObject(
        objectIdentifier=("device", settings.instance),
        objectName=f"veilleuse-{settings.instance}",
        vendorIdentifier=_VENDOR,
        maxApduLengthAccepted=OWN_MAX_APDU,
        segmentationSupported=Segmentation.segmentedReceive,
        apduTimeout=milliseconds,
        apduSegmentTimeout=milliseconds,
        numberOfApduRetries=settings.retries,
    )


def _forget(app: Stack, request: Pdu) -> None:
    """End the state machine of ``request`` where it still runs: nothing is sent again, nothing is accepted."""
    for machine in list(app.asap.clientTransactions):
        if machine.invokeID == request.apduInvokeID and machine.pdu_address == request.pduDestination:
            machine.set_state(ABORTED)


def _retrieved(future: asyncio.Future[Pdu]) -> None:
    if not future.cancelled():
        future.exception()
