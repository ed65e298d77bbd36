"""The one guarded door to the devices: bacpypes3's errors end here.

Every call has a hard deadline, slightly longer than the library's own retries, and leaves no state machine
behind that could send again; an answer counts only when it names the object and property that were asked for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from bacpypes3.apdu import ComplexAckPDU, SimpleAckPDU  # type: ignore[import-untyped]
from bacpypes3.appservice import ABORTED  # type: ignore[import-untyped]
from bacpypes3.basetypes import Segmentation  # type: ignore[import-untyped]
from bacpypes3.comm import bind  # type: ignore[import-untyped]
from bacpypes3.local.device import DeviceObject  # type: ignore[import-untyped]
from bacpypes3.pdu import Address  # type: ignore[import-untyped]
from bacpypes3.primitivedata import ObjectIdentifier  # type: ignore[import-untyped]

from drivers.api import BadAnswer, NoAnswer, NotConnected, Refused
from drivers.bacnet import messages, wire
from drivers.bacnet.addresses import Station, station
from drivers.bacnet.codec import ANY_INSTANCE, DEVICE, Atom, Atoms, ObjectId, Property, Ref
from drivers.bacnet.foreign import Registration
from drivers.bacnet.link import Link
from drivers.bacnet.noise import quieten
from drivers.bacnet.polling import OWN_MAX_APDU
from drivers.bacnet.routes import Routes
from drivers.bacnet.settings import BacnetBus
from drivers.bacnet.stack import Element, Gateway, Limits, Pdu, Question
from drivers.bacnet.subscriptions import PROCESS
from drivers.bacnet.wire import Denied, Malformed, Notification, Service

PRIORITIES = frozenset({5, 10, 13})
"""The slots of a priority array that this house ever writes."""
Reported = Callable[[Address, Notification], bool]
"""Takes who sent a report and what it says; False where nobody asked for it."""
_MARGIN_S = 0.1
_VENDOR = 999


class Peer:
    """One device's address: a single request in flight, and an invoke id of its own (it wraps after 256).

    ``timeout_s`` and ``retries`` None: as the bus.
    """

    def __init__(self, address: str | None, timeout_s: float | None = None, retries: int | None = None) -> None:
        self.move(None if address is None else station(address))
        self.timeout_s = timeout_s
        self.retries = retries
        self.lock = asyncio.Lock()
        self._invoke_id = random.randrange(256)

    @property
    def max_apdu(self) -> int:
        """The longest APDU that reaches us from there, whatever the device itself can do."""
        limit = None if self.station is None else self.station.max_apdu
        return OWN_MAX_APDU if limit is None else limit

    def move(self, place: Station | None) -> None:
        """From now on it answers at ``place``, None while nobody knows where."""
        self.station = place
        self.address = None if place is None else Address(str(place))

    def next_invoke_id(self) -> int:
        """The next of 0 to 255."""
        self._invoke_id = (self._invoke_id + 1) % 256
        return self._invoke_id


class Batch:
    """Properties that are asked for together, encoded once."""

    __slots__ = ("_last", "parameters", "refs")

    def __init__(self, refs: Sequence[Ref]) -> None:
        self.refs = frozenset(refs)
        self.parameters = wire.read_many(refs)
        self._last: tuple[bytes, dict[Ref, Atoms | Refused]] = (b"", {})

    def answers(self, octets: bytes) -> dict[Ref, Atoms | Refused]:
        """What was answered, exactly what was asked for. The same octets as last time are not taken apart again.

        Raises BadAnswer.
        """
        if self._last[0] != octets or not octets:
            self._last = (octets, self._taken_apart(octets))
        return self._last[1]

    def _taken_apart(self, octets: bytes) -> dict[Ref, Atoms | Refused]:
        try:
            answered = wire.read_many_answer(octets)
        except Malformed as error:
            raise BadAnswer(str(error)) from error
        found: dict[Ref, Atoms | Refused] = {}
        for ref, element, content in answered:
            if element is not None or ref in found:
                raise BadAnswer(f"the answer brings more of {messages.name_of(ref)} than was asked for")
            found[ref] = Refused(messages.cause(content)) if isinstance(content, Denied) else content
        if found.keys() != self.refs:
            odd = next(iter(found.keys() ^ self.refs))
            raise BadAnswer(f"the answer {'lacks' if odd in self.refs else 'brings a foreign'} {messages.name_of(odd)}")
        return found


class Client:
    """Reads and writes properties of devices at known addresses. Raises only DriverError.

    Its sockets are bound exclusively, no other program can share the port; the one at the broadcast address is
    opened only where ``hears_broadcasts`` asks for it.
    """

    def __init__(self, settings: BacnetBus, *, hears_broadcasts: bool = False) -> None:
        self._settings = settings
        self.link = Link(settings.endpoint, settings.broadcast_endpoint, hears_broadcasts=hears_broadcasts)
        self.routes = Routes(self.link, settings.timeout_s * (settings.retries + 1))
        self.registration = None if settings.foreign is None else Registration(self.link, settings.foreign)
        self._app: Gateway | None = None
        self._waiting: set[asyncio.Future[Pdu]] = set()
        self.on_report: Reported = lambda *_: False
        self.ignored_reports = 0
        """COV notifications that nobody asked for or that cannot be read."""

    async def open(self) -> None:
        """Bind and start. Raises BindFailed."""
        quieten()
        self.link.open()
        app = Gateway.of(_device_object(self._settings), _limits(self._settings))
        app.asap.notified = self._notified
        bind(app.asap, self.link)
        app.link_layers[ObjectIdentifier(("network-port", 1))] = self.link
        self._app = app
        if self.registration is not None:
            self.registration.start()

    async def close(self) -> None:
        """Fail what is waiting, stop every state machine, close the socket. Never raises."""
        app, self._app = self._app, None
        if app is None:
            return
        if self.registration is not None:
            self.registration.stop()
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
        answered, content = await self._read(peer, ref)
        if answered != ref:
            raise BadAnswer(f"asked for {messages.name_of(ref)}, answered {messages.name_of(answered)}")
        return content

    async def read_many(self, peer: Peer, batch: Batch) -> dict[Ref, Atoms | Refused]:
        """Several properties at once; what the device refuses of them is a value. All of them are in the answer.

        Raises AnswerTooLong or ServiceUnsupported where asking otherwise helps.
        """
        return batch.answers(await self._ask(peer, Service.READ_PROPERTY_MULTIPLE, batch.parameters))

    async def read_elements(self, peer: Peer, ref: Ref, elements: Sequence[int]) -> dict[int, Atoms | Refused]:
        """Elements of an array, element 0 is its length: one by ReadProperty, several at once by the other service.

        Raises as ``read`` and ``read_many``.
        """
        if len(elements) == 1:
            parameters = wire.read_element(ref, elements[0])
            octets = await self._ask(peer, Service.READ_PROPERTY, parameters)
        else:
            parameters = wire.read_elements(ref, elements)
            octets = await self._ask(peer, Service.READ_PROPERTY_MULTIPLE, parameters)
        try:
            answered = [wire.read_answer(octets)] if len(elements) == 1 else wire.read_many_answer(octets)
        except Malformed as error:
            raise BadAnswer(str(error)) from error
        if [(one.ref, one.element) for one in answered] != [(ref, element) for element in elements]:
            raise BadAnswer(f"the answer is not of the elements of {messages.name_of(ref)} that were asked for")
        return {
            element: Refused(messages.cause(one.content)) if isinstance(one.content, Denied) else one.content
            for element, one in zip(elements, answered, strict=True)
        }

    async def read_encoded(self, peer: Peer, ref: Ref, element: int | None = None) -> bytes:
        """A constructed property, or one element of an array of them, as it came. Raises as ``read``."""
        parameters = wire.read_property(ref) if element is None else wire.read_element(ref, element)
        octets = await self._ask(peer, Service.READ_PROPERTY, parameters)
        try:
            answered, found, content = wire.encoded_answer(octets)
        except Malformed as error:
            raise BadAnswer(str(error)) from error
        if (answered, found) != (ref, element):
            raise BadAnswer(f"asked for {messages.name_of(ref)}, answered {messages.name_of(answered)}")
        return content

    async def write_encoded(self, peer: Peer, ref: Ref, encoded: bytes, element: int | None = None) -> None:
        """Write a constructed property, or one element. Returns on the device's acknowledgement."""
        await self._acknowledged(peer, Service.WRITE_PROPERTY, wire.write_encoded(ref, element, encoded))

    async def who(self, peer: Peer) -> ObjectId:
        """The device object that answers at ``peer``, whichever it is."""
        answered, _ = await self._read(peer, Ref(ObjectId(DEVICE, ANY_INSTANCE), Property.OBJECT_IDENTIFIER))
        return answered.object

    async def write(self, peer: Peer, ref: Ref, value: Atom, priority: int | None) -> None:
        """Write one property; ``priority`` None leaves it out. Returns on the device's acknowledgement."""
        if priority is not None and priority not in PRIORITIES:
            raise Refused(f"priority {priority} is never written")
        await self._acknowledged(peer, Service.WRITE_PROPERTY, wire.write_property(ref, value, priority))

    async def subscribe(self, peer: Peer, object_: ObjectId, lifetime_s: int, *, confirmed: bool) -> None:
        """Have changes of ``object_`` reported to ``on_report``. Raises TableFull where there is no room for it."""
        parameters = wire.subscribe_cov(PROCESS, object_, lifetime_s, confirmed=confirmed)
        await self._acknowledged(peer, Service.SUBSCRIBE_COV, parameters)

    async def cancel(self, peer: Peer, object_: ObjectId) -> None:
        """No more reports of ``object_``."""
        await self._acknowledged(peer, Service.SUBSCRIBE_COV, wire.cancel_cov(PROCESS, object_))

    def _notified(self, source: Address, parameters: bytes) -> bool:
        try:
            known = self.on_report(source, wire.cov_notification(parameters))
        except Malformed:
            known = False
        self.ignored_reports += not known
        return known

    async def _read(self, peer: Peer, ref: Ref) -> tuple[Ref, Atoms]:
        octets = await self._ask(peer, Service.READ_PROPERTY, wire.read_property(ref))
        try:
            answered, element, content = wire.read_answer(octets)
        except Malformed as error:
            raise BadAnswer(str(error)) from error
        if element is not None or isinstance(content, Denied):
            raise BadAnswer(f"the answer is an element of {messages.name_of(answered)}")
        return answered, content

    async def _acknowledged(self, peer: Peer, service: Service, parameters: bytes) -> None:
        await self._ask(peer, service, parameters, SimpleAckPDU)

    async def _ask(self, peer: Peer, service: Service, parameters: bytes, expected: type = ComplexAckPDU) -> bytes:
        async with peer.lock:
            if self._app is None:
                raise NotConnected("the bus is not open")
            if peer.station is None:
                raise NoAnswer("nobody knows its address")
            await self.routes.find(peer.station)
            question = Question(peer.address, service, parameters, peer.next_invoke_id())
            try:
                return messages.parameters(await self._exchange(self._app, peer, question), service, expected)
            except NoAnswer:
                self.routes.doubt(peer.station)
                raise

    async def _exchange(self, app: Gateway, peer: Peer, question: Question) -> Pdu:
        """The answer's APDU. Nothing of the question is left behind, however this ends."""
        timeout_s = self._settings.timeout_s if peer.timeout_s is None else peer.timeout_s
        retries = self._settings.retries if peer.retries is None else peer.retries
        deadline_s = timeout_s * (retries + 1) + _MARGIN_S
        transaction = app.asap.ask(question, timeout_s, retries)
        self._waiting.add(question.answer)
        try:
            async with asyncio.timeout(deadline_s):
                await transaction.indication(question)
                return await question.answer
        except TimeoutError:
            raise NoAnswer(f"no answer within {deadline_s:.1f} s") from None
        finally:
            self._waiting.discard(question.answer)
            transaction.forget()


def _limits(settings: BacnetBus) -> Limits:
    milliseconds = max(1, round(settings.timeout_s * 1000))
    return Limits(settings.retries, milliseconds, milliseconds, OWN_MAX_APDU)


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
