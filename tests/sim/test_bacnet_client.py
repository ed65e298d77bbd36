"""An independent client (bacpypes3, from the public registry) against the simulated device's own encoding."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bacpypes3.apdu import AbortPDU, ErrorPDU, ErrorRejectAbortNack, RejectPDU  # type: ignore[import-untyped]
from bacpypes3.app import Application  # type: ignore[import-untyped]
from bacpypes3.basetypes import ErrorType, PropertyIdentifier  # type: ignore[import-untyped]
from bacpypes3.local.device import DeviceObject  # type: ignore[import-untyped]
from bacpypes3.local.networkport import NetworkPortObject  # type: ignore[import-untyped]
from bacpypes3.pdu import Address, IPv4Address  # type: ignore[import-untyped]
from bacpypes3.primitivedata import Null, ObjectIdentifier  # type: ignore[import-untyped]

from tests.ports import free_port
from tests.sim.bacnet_rig import Rig, rigged

DEADLINE_S = 5.0
UNLISTED = ("object-identifier", "object-name", "object-type")


@asynccontextmanager
async def client_of(rig: Rig) -> AsyncIterator[tuple[Any, Address]]:
    """A bacpypes3 application and the device's address."""
    app: Any = Application.from_object_list(
        [
            DeviceObject(
                objectIdentifier=("device", 4000),
                objectName="client",
                vendorIdentifier=999,
                maxApduLengthAccepted=1476,
                apduTimeout=1500,
                numberOfApduRetries=1,
            ),
            NetworkPortObject(
                IPv4Address(f"127.0.0.1/32:{free_port()}"),
                objectIdentifier=("network-port", 1),
                objectName="port",
                networkNumber=0,
                networkNumberQuality="unknown",
            ),
        ]
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield app, Address(f"127.0.0.1:{rig.device.port}")
    finally:
        app.close()
        await asyncio.sleep(0)


async def test_who_is_finds_it() -> None:
    async with rigged() as rig, client_of(rig) as (app, address):
        [found] = await app.who_is(4, 4, address=address, timeout=0.1)
        assert str(found.iAmDeviceIdentifier) == "device,4"
        assert found.maxAPDULengthAccepted == 1476
        assert str(found.segmentationSupported) == "no-segmentation"
        assert found.vendorID == 999
        assert await app.who_is(5, 9, address=address, timeout=0.1) == []


async def test_read_property() -> None:
    async with rigged() as rig, client_of(rig) as (app, address):
        assert await app.read_property(address, "analog-input,5", "present-value") == pytest.approx(72.3)
        assert str(await app.read_property(address, "analog-input,5", "units")) == "degrees-celsius"
        assert str(await app.read_property(address, "binary-input,1", "present-value")) == "active"
        assert await app.read_property(address, "multi-state-value,1", "present-value") == 2
        assert await app.read_property(address, "device,4", "object-name") == "Office"
        assert await app.read_property(address, "device,4", "object-list", array_index=0) == 11
        listed = await app.read_property(address, "device,4", "object-list")
        assert [str(item) for item in listed] == ["device,4", *rig.objects]
        assert str(await app.read_property(address, "device,4", "local-date")) == "2026-11-21 sat"
        rig.objects["analog-input,5"].fault = True
        assert str(await app.read_property(address, "analog-input,5", "status-flags")) == "fault"


async def test_read_property_multiple_all_of_every_object() -> None:
    async with rigged() as rig, client_of(rig) as (app, address):
        for key in ("device,4", *rig.objects):
            rows = await app.read_property_multiple(address, [key, ["all"]])
            read = {str(name): value for _, name, _, value in rows}
            assert not [value for value in read.values() if isinstance(value, ErrorType)]
            assert str(read["object-identifier"]) == key
            listed = await app.read_property(address, key, "property-list")
            assert [str(name) for name in listed] == [name for name in read if name not in UNLISTED]


async def test_read_property_multiple_with_an_error_in_its_place() -> None:
    async with rigged() as rig, client_of(rig) as (app, address):
        rows = await app.read_property_multiple(
            address, ["analog-input,5", ["present-value", "priority-array"], "analog-input,99", ["present-value"]]
        )
        values = [value for *_, value in rows]
        assert values[0] == pytest.approx(72.3)
        assert (str(values[1].errorClass), str(values[1].errorCode)) == ("property", "unknown-property")
        assert (str(values[2].errorClass), str(values[2].errorCode)) == ("object", "unknown-object")


async def test_write_with_priority_and_relinquish() -> None:
    async with rigged() as rig, client_of(rig) as (app, address):
        await app.write_property(address, "analog-value,2", "present-value", 21.5, priority=13)
        rig.objects["analog-value,2"].command(8, 18.0)
        slots = await app.read_property(address, "analog-value,2", "priority-array")
        shown = {place: slot.real for place, slot in enumerate(slots, 1) if slot._choice == "real"}
        assert shown == {8: 18.0, 13: 21.5}
        await app.write_property(address, "analog-value,2", "present-value", Null(()), priority=13)
        assert rig.objects["analog-value,2"].slots == {8: 18.0}
        await app.write_property(address, "binary-output,1", "present-value", "active", priority=10)
        assert rig.objects["binary-output,1"].slots == {10: 1.0}


@pytest.mark.parametrize(
    ("key", "value", "priority", "error"),
    [
        ("analog-input,5", 1.0, None, ("property", "write-access-denied")),
        ("analog-value,2", 21.0, 6, ("property", "write-access-denied")),
        ("analog-value,2", 99.0, 13, ("property", "value-out-of-range")),
        ("analog-value,99", 21.0, 13, ("object", "unknown-object")),
    ],
)
async def test_refused_writes(key: str, value: float, priority: int | None, error: tuple[str, str]) -> None:
    async with rigged() as rig, client_of(rig) as (app, address):
        with pytest.raises(ErrorRejectAbortNack) as refused:
            await app.write_property(address, key, "present-value", value, priority=priority)
        answer: Any = refused.value
        assert isinstance(answer, ErrorPDU)
        assert (str(answer.errorClass), str(answer.errorCode)) == error


async def test_too_long_an_answer_is_an_abort() -> None:
    async with rigged(max_apdu=206) as rig, client_of(rig) as (app, address):
        with pytest.raises(ErrorRejectAbortNack) as refused:
            await app.read_property_multiple(address, ["device,4", ["all"]])
        answer: Any = refused.value
        assert isinstance(answer, AbortPDU)
        assert str(answer.apduAbortRejectReason) == "segmentation-not-supported"


async def test_without_read_property_multiple_it_is_a_reject() -> None:
    async with rigged(supports_rpm=False) as rig, client_of(rig) as (app, address):
        with pytest.raises(ErrorRejectAbortNack) as refused:
            await app.read_property_multiple(address, ["analog-input,5", ["present-value"]])
        answer: Any = refused.value
        assert isinstance(answer, RejectPDU)
        assert str(answer.apduAbortRejectReason) == "unrecognized-service"


@pytest.mark.parametrize("confirmed", [False, True])
async def test_change_of_value(confirmed: bool) -> None:
    async with rigged() as rig, client_of(rig) as (app, address):
        async with app.change_of_value(address, ObjectIdentifier("analog-input,10"), None, confirmed, 60) as changes:
            assert await notified(changes) == {"present-value": 65.0, "status-flags": ""}
            rig.plant.values["analog-input-10"] = 67.0
            rig.device.tick()
            assert await notified(changes) == {"present-value": 67.0, "status-flags": ""}
            rig.objects["analog-input,10"].fault = True
            rig.device.tick()
            assert await notified(changes) == {"present-value": 67.0, "status-flags": "fault"}
            [row] = await app.read_property(address, "device,4", "active-cov-subscriptions")
            assert bool(row.issueConfirmedNotifications) is confirmed
        assert rig.device.subscribers == 0


async def notified(changes: Any) -> dict[str, Any]:
    """One notification: present-value and status-flags."""
    seen = {}
    for _ in range(2):
        name, value = await changes.get_value()
        seen[str(name)] = str(value) if name == PropertyIdentifier.statusFlags else value
    return seen
