"""bacpypes3 specialised for the hot path: the library's state machines without its generic codec.

A Question carries parameters that drivers.bacnet.wire encoded and gets its answer as octets: the library never
builds or takes apart a Sequence for it (docs/decisions/0015-bacnet-hot-path.md). What we did not ask for keeps the
library's way, except COV notifications, which are handed on as octets too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bacpypes3.apdu import (  # type: ignore[import-untyped]
    ConfirmedRequestPDU,
    ErrorPDU,
    SimpleAckPDU,
)
from bacpypes3.app import Application  # type: ignore[import-untyped]
from bacpypes3.appservice import (  # type: ignore[import-untyped]
    ABORTED,
    COMPLETED,
    ApplicationServiceAccessPoint,
    ClientSSM,
)
from bacpypes3.basetypes import Segmentation, ServicesSupported  # type: ignore[import-untyped]
from bacpypes3.comm import bind  # type: ignore[import-untyped]
from bacpypes3.local.device import DeviceObject  # type: ignore[import-untyped]

from drivers.bacnet.wire import UNCONFIRMED_COV_NOTIFICATION, Service

# The library carries no types: these say at least what is meant.
Pdu = Any
Element = Any
Address = Any

Notified = Callable[[Address, bytes], bool]
"""Takes the source and the parameters of a COV notification; False when nobody subscribed to it."""

_UNCONFIRMED = 0x10
_SEGMENTED = 0x08
_SERVICES_CLASS = b"\x91\x05"
_UNKNOWN_SUBSCRIPTION = b"\x91\x4f"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the state machines want to know of our own device, without the cost of asking its object."""

    numberOfApduRetries: int  # noqa: N815  (names of the library)
    apduTimeout: int  # noqa: N815
    apduSegmentTimeout: int  # noqa: N815
    maxApduLengthAccepted: int  # noqa: N815
    segmentationSupported: Element = Segmentation.segmentedReceive  # noqa: N815
    maxSegmentsAccepted: int = 16  # noqa: N815


class Question(ConfirmedRequestPDU):  # type: ignore[misc]
    """One confirmed request; ``answer`` becomes the answer's APDU, of which ``pduData`` are the parameters."""

    def __init__(self, address: Address, service: int, parameters: bytes, invoke_id: int) -> None:
        super().__init__(service, invoke_id, parameters, destination=address)
        self.address = address
        self.answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()


class Transaction(ClientSSM):  # type: ignore[misc]
    """The library's state machine for one Question, with deadlines of its own."""

    def __init__(self, point: AccessPoint, question: Question, timeout_s: float, retries: int) -> None:
        super().__init__(point, question.address)
        self.apduTimeout = self.segmentTimeout = max(1, round(timeout_s * 1000))
        self.numberOfApduRetries = retries
        self._question = question

    async def response(self, apdu: Pdu) -> None:
        """The answer, or the library's word that there is none: to who asked, undecoded."""
        if not self._question.answer.done():
            self._question.answer.set_result(apdu)

    def forget(self) -> None:
        """End it where it still runs: nothing is sent again, nothing is accepted."""
        if self.state not in (COMPLETED, ABORTED):
            self.set_state(ABORTED)


class AccessPoint(ApplicationServiceAccessPoint):  # type: ignore[misc]
    """Where APDUs go in and out."""

    notified: Notified = staticmethod(lambda *_: False)

    def ask(self, question: Question, timeout_s: float, retries: int) -> Transaction:
        """A transaction for ``question``, to be started by its ``indication``."""
        transaction = Transaction(self, question, timeout_s, retries)
        self.clientTransactions.append(transaction)
        return transaction

    async def confirmation(self, pdu: Pdu) -> None:
        """A frame from the link: COV notifications go to us as they are, the rest the library's way."""
        octets = pdu.pduData
        if len(octets) >= 2 and octets[0] == _UNCONFIRMED and octets[1] == UNCONFIRMED_COV_NOTIFICATION:
            self.notified(pdu.pduSource, bytes(octets[2:]))
        elif len(octets) >= 4 and octets[0] < _SEGMENTED and octets[3] == Service.CONFIRMED_COV_NOTIFICATION:
            await self._acknowledge(pdu.pduSource, octets[2], self.notified(pdu.pduSource, bytes(octets[4:])))
        else:
            await super().confirmation(pdu)

    async def _acknowledge(self, source: Address, invoke_id: int, known: bool) -> None:
        """A device that hears of no subscription may drop it."""
        service = Service.CONFIRMED_COV_NOTIFICATION
        if known:
            answer = SimpleAckPDU(service, invoke_id, destination=source)
        else:
            answer = ErrorPDU(service, invoke_id, None, _SERVICES_CLASS + _UNKNOWN_SUBSCRIPTION, destination=source)
        await self.request(answer)


class Gateway(Application):  # type: ignore[misc]
    """Our own device on the network. It answers reads and Who-Is and lets nobody write."""

    do_WritePropertyRequest = None  # noqa: N815  (names of the library)
    do_WritePropertyMultipleRequest = None  # noqa: N815
    do_SubscribeCOVRequest = None  # noqa: N815
    do_DeviceCommunicationControlRequest = None  # noqa: N815

    asap: AccessPoint

    @classmethod
    def of(cls, device: DeviceObject, limits: Limits) -> Gateway:
        """A gateway that shows ``device`` and has no link yet."""
        app: Gateway = cls.from_object_list([device])
        app.asap = AccessPoint(limits, app.device_info_cache)
        bind(app, app.asap, app.nsap)
        return app

    def get_services_supported(self) -> Element:
        """What is left of the library's services."""
        return ServicesSupported(["read-property", "read-property-multiple", "who-is"])
