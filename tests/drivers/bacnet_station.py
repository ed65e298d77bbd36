"""BACnet devices for the drivers' tests: strict ones built on the library's server, and a scripted raw UDP peer."""

from __future__ import annotations

import asyncio
import gc
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

from bacpypes3.app import Application  # type: ignore[import-untyped]
from bacpypes3.appservice import ABORTED  # type: ignore[import-untyped]
from bacpypes3.basetypes import Scale, Segmentation, StatusFlags  # type: ignore[import-untyped]
from bacpypes3.errors import ExecutionError, UnrecognizedService  # type: ignore[import-untyped]
from bacpypes3.local.analog import (  # type: ignore[import-untyped]
    AnalogInputObject,
    AnalogValueObject,
    AnalogValueObjectCmd,
)
from bacpypes3.local.binary import BinaryValueObject  # type: ignore[import-untyped]
from bacpypes3.local.device import DeviceObject  # type: ignore[import-untyped]
from bacpypes3.local.multistate import MultiStateValueObject  # type: ignore[import-untyped]
from bacpypes3.local.networkport import NetworkPortObject  # type: ignore[import-untyped]
from bacpypes3.local.object import Object  # type: ignore[import-untyped]
from bacpypes3.object import (  # type: ignore[import-untyped]
    AccumulatorObject,
    IntegerValueObject,
    PositiveIntegerValueObject,
)
from bacpypes3.pdu import IPv4Address  # type: ignore[import-untyped]

from drivers.api import Driver, Host
from drivers.bacnet.driver import build
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.profile import BacnetPoint, Profile
from drivers.registry import BusDevice
from tests.ports import free_port

NORMAL = b"\x82\x04\x00"
"""Status flags, encoded: all four off."""
ANY_INSTANCE = 4_194_303
AT = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


def bus(**changes: object) -> BacnetBus:
    """Our own side, impatient."""
    settings: dict[str, object] = {"address": f"127.0.0.1/24:{free_port()}", "timeout_s": 0.2, "retries": 1}
    return BacnetBus.model_validate({"driver": "bacnet"} | settings | changes)


def device(port: int, instance: int, *points: BacnetPoint, id_: str = "school") -> BusDevice:
    """A device of the bus with ``points``, all in use."""
    settings = BacnetDevice(address=f"127.0.0.1:{port}", instance=instance)
    profile = Profile("test", "test", "bacnet", "test", date(2026, 11, 21), {p.name: p for p in points})
    return BusDevice(id_, settings, profile, tuple(profile.points))


class StrictApplication(Application):  # type: ignore[misc]
    """The library's server, as strict as a real controller: inputs refuse writes, values have a range."""

    multiple = True
    """Whether it knows ReadPropertyMultiple."""
    limited = False
    """Whether every value is out of its range."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.served: list[str] = []

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        """As the library, where the device knows it."""
        self.served.append("rpm")
        if not self.multiple:
            raise UnrecognizedService("no ReadPropertyMultiple")
        await super().do_ReadPropertyMultipleRequest(apdu)

    async def do_ReadPropertyRequest(self, apdu: Any) -> None:  # noqa: N802
        """As the library, counted."""
        self.served.append("rp")
        if apdu.objectIdentifier[1] == ANY_INSTANCE:
            apdu.objectIdentifier = self.device_object.objectIdentifier
        await super().do_ReadPropertyRequest(apdu)

    async def do_WritePropertyRequest(self, apdu: Any) -> None:  # noqa: N802
        """As the library, but inputs are read only."""
        self.served.append("wp")
        if str(apdu.objectIdentifier[0]).endswith("-input"):
            raise ExecutionError("property", "writeAccessDenied")
        if self.limited:
            raise ExecutionError("property", "valueOutOfRange")
        await super().do_WritePropertyRequest(apdu)


class Station:
    """One simulated device with ``objects``, listening on ``port``."""

    def __init__(
        self, instance: int, *objects: Any, multiple: bool = True, max_apdu: int = 1024, port: int = 0
    ) -> None:
        self.port = port or free_port()
        own = DeviceObject(
            objectIdentifier=("device", instance),
            objectName=f"device-{instance}",
            vendorIdentifier=999,
            maxApduLengthAccepted=max_apdu,
            segmentationSupported=Segmentation.noSegmentation,
        )
        link = NetworkPortObject(
            IPv4Address(f"127.0.0.1/32:{self.port}"),
            objectIdentifier=("network-port", 1),
            objectName="port",
            networkNumber=0,
            networkNumberQuality="unknown",
        )
        self.app = StrictApplication.from_object_list([own, link, *objects])
        self.app.multiple = multiple
        self.objects = {str(thing.objectIdentifier): thing for thing in objects}

    @property
    def served(self) -> list[str]:
        """The services that were asked for, in order."""
        return list(self.app.served)

    async def up(self) -> None:
        """Wait until it listens."""
        for link in self.app.link_layers.values():
            await link.server._local_transport_ready.wait()

    async def aclose(self) -> None:
        """Leave the wire; once more does no harm."""
        await asyncio.sleep(0)
        for machine in [*self.app.asap.serverTransactions]:
            machine.set_state(ABORTED)
        self.app.close()
        await asyncio.sleep(0)


class Sensor(AnalogInputObject):  # type: ignore[misc]
    """An input whose status flags are what the test says, None: it has none."""

    shown: tuple[int, int, int, int] | None = (0, 0, 0, 0)

    async def read_property(self, attr: Any, index: int | None = None) -> Any:
        """As the library, but for the flags."""
        if str(attr) == "status-flags":
            return None if self.shown is None else StatusFlags(list(self.shown))
        return await super().read_property(attr, index)


def sensor(number: int, value: float, flags: tuple[int, int, int, int] | None = (0, 0, 0, 0)) -> Any:
    """``analog-input,<number>``."""
    made = _analog(Sensor, "analog-input", number, value)
    object.__setattr__(made, "shown", flags)
    return made


def setpoint(number: int, value: float) -> Any:
    """``analog-value,<number>`` with a priority array; ``value`` is its relinquish default."""
    return _analog(AnalogValueObjectCmd, "analog-value", number, value)


def plain_setpoint(number: int, value: float) -> Any:
    """``analog-value,<number>`` without a priority array."""
    return _analog(AnalogValueObject, "analog-value", number, value)


def _analog(kind: Any, name: str, number: int, value: float) -> Any:
    return kind(
        objectIdentifier=(name, number),
        objectName=f"{name}-{number}",
        presentValue=value,
        eventState="normal",
        outOfService=False,
        units="degreesCelsius",
        covIncrement=0.1,
    )


class Accumulator(Object, AccumulatorObject):  # type: ignore[misc]
    """A meter's pulses."""


class IntegerValue(Object, IntegerValueObject):  # type: ignore[misc]
    """A whole number."""


class PositiveIntegerValue(Object, PositiveIntegerValueObject):  # type: ignore[misc]
    """A whole number from 0 on."""


def counter(kind: str, value: int, units: str) -> Any:
    """``<kind>,1``, a counter of whole ``units``."""
    made = {each.__name__: each for each in (Accumulator, IntegerValue, PositiveIntegerValue)}
    found = made["".join(word.capitalize() for word in kind.split("-"))]
    own = {"scale": Scale(integerScale=0), "maxPresValue": 2**32 - 1} if kind == "accumulator" else {}
    return found(
        objectIdentifier=(kind, 1), objectName=kind, presentValue=value, eventState="normal", outOfService=False,
        statusFlags=StatusFlags([0, 0, 0, 0]), units=units, **own,
    )  # fmt: skip


def contact(number: int, value: str) -> Any:
    """``binary-value,<number>``, ``active`` or ``inactive``."""
    return BinaryValueObject(
        objectIdentifier=("binary-value", number),
        objectName=f"contact-{number}",
        presentValue=value,
        eventState="normal",
        outOfService=False,
    )


def mode(number: int, value: int) -> Any:
    """``multi-state-value,<number>`` of four states."""
    return MultiStateValueObject(
        objectIdentifier=("multi-state-value", number),
        objectName=f"mode-{number}",
        presentValue=value,
        numberOfStates=4,
        eventState="normal",
        outOfService=False,
    )


@asynccontextmanager
async def running(settings: BacnetBus, *devices: BusDevice, host: Host | None = None) -> AsyncIterator[Driver]:
    """An open driver; afterwards nothing of it is left: no task, no exception that nobody saw."""
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    before = asyncio.all_tasks()
    driver = build("gtb", settings, devices, host or Host(lambda: AT, Path()))
    await asyncio.sleep(0)  # a Station binds in the turn after it was made
    await driver.open()
    try:
        yield driver
    finally:
        started = loop.time()
        await driver.close()
        assert loop.time() - started < 1.0
    gc.collect()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}
    assert complaints == [], complaints


class Frame:
    """A confirmed request as it came, taken apart by hand."""

    def __init__(self, datagram: bytes) -> None:
        npdu = datagram[4:]
        apdu = npdu[2:]
        self.invoke_id = apdu[2]
        self.service = apdu[3]
        self.body = apdu[4:]

    @property
    def object_id(self) -> bytes:
        """The first object identifier, four octets."""
        return self.body[1:5]


def datagram(apdu: bytes) -> bytes:
    """``apdu`` in an original unicast NPDU."""
    return struct.pack(">BBH", 0x81, 0x0A, 6 + len(apdu)) + b"\x01\x00" + apdu


def read_ack(frame: Frame, object_id: bytes, property_: int, value: bytes) -> bytes:
    """The answer to a ReadProperty with an encoded value."""
    body = b"\x0c" + object_id + b"\x19" + bytes([property_]) + b"\x3e" + value + b"\x3f"
    return datagram(bytes([0x30, frame.invoke_id, 12]) + body)


def real(value: float) -> bytes:
    """An application-tagged REAL."""
    return b"\x44" + struct.pack(">f", value)


def object_octets(type_: int, instance: int) -> bytes:
    """An object identifier, four octets."""
    return (type_ << 22 | instance).to_bytes(4)


def objects_of(frame: Frame) -> list[bytes]:
    """The objects that a ReadPropertyMultiple asks for."""
    return [frame.body[i + 1 : i + 5] for i in range(len(frame.body)) if frame.body[i] == 0x0C]


def many_ack(frame: Frame, value: bytes) -> bytes:
    """The answer to a ReadPropertyMultiple of present value and status flags, ``value`` for every object."""
    one = b"\x1e\x29\x55\x4e" + value + b"\x4f\x29\x6f\x4e" + NORMAL + b"\x4f\x1f"
    body = b"".join(b"\x0c" + identifier + one for identifier in objects_of(frame))
    return datagram(bytes([0x30, frame.invoke_id, 14]) + body)


def one_ack(frame: Frame, value: bytes) -> bytes:
    """The answer to a ReadProperty of a present value, or of normal status flags."""
    asked = frame.body[-1]
    return read_ack(frame, frame.object_id, asked, NORMAL if asked == 0x6F else value)


def no_such_service(frame: Frame) -> bytes:
    """Reject: unrecognized service."""
    return datagram(bytes([0x60, frame.invoke_id, 9]))


Script = Callable[[Frame], Iterable[bytes]]


class RawPeer(asyncio.DatagramProtocol):
    """A device of which ``script`` writes every octet; ``seen`` are the datagrams that it got."""

    def __init__(self, instance: int, script: Script) -> None:
        self.device = object_octets(8, instance)
        self.script = script
        self.seen: list[Frame] = []
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.peer: tuple[str, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answers the identity itself, everything else by script."""
        frame = Frame(data)
        self.peer = addr
        self.seen.append(frame)
        self.frames.put_nowait(frame)
        if frame.service == 12 and frame.body == b"\x0c" + self.device + b"\x19\x4b":
            self.send(read_ack(frame, self.device, 75, b"\xc4" + self.device))
        elif frame.service == 12 and frame.body == b"\x0c" + self.device + b"\x19\x3e":
            self.send(read_ack(frame, self.device, 62, b"\x22\x01\xe0"))
        else:
            for answer in self.script(frame):
                self.send(answer)

    async def aclose(self) -> None:
        """Leave the wire."""
        self.transport.close()
        await asyncio.sleep(0)

    def send(self, answer: bytes) -> None:
        """Send to who asked last."""
        assert self.peer is not None
        self.transport.sendto(answer, self.peer)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.transport.get_extra_info("sockname")[1])


async def raw_peer(instance: int, script: Script) -> RawPeer:
    """A scripted peer on a free port."""
    loop = asyncio.get_running_loop()
    _, peer = await loop.create_datagram_endpoint(lambda: RawPeer(instance, script), local_addr=("127.0.0.1", 0))
    return peer


@asynccontextmanager
async def served(
    points: Sequence[BacnetPoint], *objects: Any, found: int = 1201, multiple: bool = True, max_apdu: int = 1024
) -> AsyncIterator[tuple[Driver, Station]]:
    """A driver that expects device 1201 with ``points``, and the device that it finds there."""
    station = Station(found, *objects, multiple=multiple, max_apdu=max_apdu)
    try:
        async with running(bus(), device(station.port, 1201, *points)) as driver:
            yield driver, station
    finally:
        await station.aclose()


@asynccontextmanager
async def scripted(
    points: Sequence[BacnetPoint], script: Script, **settings: object
) -> AsyncIterator[tuple[Driver, RawPeer]]:
    """A driver that expects device 1201 with ``points``, and a raw peer that is it."""
    peer = await raw_peer(1201, script)
    try:
        async with running(bus(**settings), device(peer.port, 1201, *points)) as driver:
            yield driver, peer
    finally:
        await peer.aclose()
