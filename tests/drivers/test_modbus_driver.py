"""The driver on the wire: lanes, readings with their faults, writes judged by reading back."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.api import (
    BindFailed,
    Busy,
    Driver,
    Fault,
    Host,
    NoAnswer,
    NotConnected,
    Outcome,
    PointId,
    Reading,
    Write,
)
from drivers.modbus.driver import build
from drivers.modbus.settings import ModbusBus, ModbusDevice, ModbusTls
from drivers.profile import ModbusLimits, ModbusPoint, Profile, Table, WireType
from drivers.profile_file import load_profile, shipped_profiles
from drivers.registry import BusDevice
from tests.drivers.modbus_peer import (
    Asked,
    Peer,
    Say,
    Script,
    Store,
    mbap,
    rtu_device,
    rtu_peer,
    silent,
    tcp_device,
    tcp_peer,
)

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
CABINET = load_profile(shipped_profiles()["generic-cabinet"])
HERE = Path("/nowhere")
HOST = Host(lambda: NOW, HERE)


def profile(*points: ModbusPoint, **limits: Any) -> Profile:
    return Profile("p", "", "modbus", "", date(2026, 11, 21), {p.name: p for p in points}, ModbusLimits(**limits))


def register(name: str, address: int, **more: Any) -> ModbusPoint:
    return ModbusPoint(name, Table.HOLDING, address, WireType.UINT16, writable=True, **more)


def values(seen: Sequence[Reading | Fault]) -> Mapping[str, float | str]:
    return {o.point.point: o.value if isinstance(o, Reading) else o.cause for o in seen}


@asynccontextmanager
async def bus(script: Script, kind: Profile, retries: int = 0) -> AsyncIterator[tuple[Driver, Peer]]:
    async with tcp_peer(script) as peer:
        settings = ModbusBus(driver="modbus", tcp=f"127.0.0.1:{peer.port}", timeout_s=0.15, retries=retries)
        driver = build(
            "bus", settings, [BusDevice("d", ModbusDevice(), kind, tuple(kind.points))], Host(lambda: NOW, HERE)
        )
        await driver.open()
        try:
            yield driver, peer
        finally:
            await driver.close()


def devices(*pairs: tuple[str, ModbusDevice]) -> list[BusDevice]:
    kind = profile(register("a", 0))
    return [BusDevice(name, settings, kind, ("a",)) for name, settings in pairs]


@pytest.mark.parametrize(
    ("settings", "attached", "lanes"),
    [
        (ModbusBus(driver="modbus", serial="ttyUSB0"), [("a", None), ("b", None)], [("bus", ("a", "b"))]),
        (ModbusBus(driver="modbus", tcp="h:502"), [("a", None), ("b", "h:502")], [("bus", ("a", "b"))]),
        (
            ModbusBus(driver="modbus", tcp="h"),
            [("a", None), ("b", "x:1"), ("c", "y:1"), ("d", "x:1")],
            [("bus", ("a",)), ("bus/b", ("b", "d")), ("bus/c", ("c",))],
        ),
        (ModbusBus(driver="modbus"), [("a", "x"), ("b", "y")], [("bus/a", ("a",)), ("bus/b", ("b",))]),
    ],
)
def test_a_lane_is_what_shares_a_line(
    settings: ModbusBus, attached: list[tuple[str, str | None]], lanes: list[tuple[str, tuple[str, ...]]]
) -> None:
    pairs = [(name, ModbusDevice(unit=i + 1, address=address)) for i, (name, address) in enumerate(attached)]
    driver = build("bus", settings, devices(*pairs), HOST)
    assert [(lane.name, lane.devices) for lane in driver.lanes] == lanes


@pytest.mark.parametrize(
    ("settings", "device", "cause"),
    [
        (ModbusBus(driver="modbus"), ModbusDevice(), "neither the device nor its bus"),
        (ModbusBus(driver="modbus", serial="x"), ModbusDevice(address="h:1"), "on a serial bus"),
    ],
)
def test_an_endpoint_that_does_not_exist_is_refused(settings: ModbusBus, device: ModbusDevice, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        build("bus", settings, devices(("a", device)), HOST)


def test_a_point_that_the_profile_has_not_is_refused() -> None:
    attached = [BusDevice("d", ModbusDevice(address="h"), CABINET, ("dor",))]
    with pytest.raises(ValueError, match="no Modbus point dor"):
        build("bus", ModbusBus(driver="modbus"), attached, HOST)


async def test_a_relative_serial_path_starts_at_the_site(tmp_path: Path) -> None:
    async with rtu_peer(rtu_device(Store(registers={0: 5}))) as peer:
        os.symlink(peer.path, tmp_path / "line")
        attached = devices(("a", ModbusDevice(unit=1)))
        driver = build("bus", ModbusBus(driver="modbus", serial="line"), attached, Host(lambda: NOW, tmp_path))
        assert values(await driver.read(driver.polls["a"][0])) == {"a": 5.0}
        await driver.close()


async def test_tls_files_start_at_the_site_and_a_missing_one_is_a_terminal_error(tmp_path: Path) -> None:
    settings = ModbusBus(driver="modbus", tcp="127.0.0.1", tls=ModbusTls(ca=Path("tls/ca.pem")))
    driver = build("bus", settings, devices(("a", ModbusDevice())), Host(lambda: NOW, tmp_path))
    with pytest.raises(BindFailed, match=rf"tls: ca {tmp_path}/tls/ca\.pem: no such file or directory"):
        await driver.read(driver.polls["a"][0])
    await driver.close()


@pytest.mark.parametrize(
    ("tcp", "tls", "address", "endpoint"),
    [
        ("h", None, None, "h:502"),
        ("h", "ca.pem", None, "h:802"),
        ("h:1502", "ca.pem", None, "h:1502"),
        ("h", "ca.pem", "x", "x:802"),
        (None, None, "x:1", "x:1"),
        (None, None, None, None),
    ],
)
def test_the_port_follows_the_wire(tcp: str | None, tls: str | None, address: str | None, endpoint: str | None) -> None:
    settings = ModbusBus(driver="modbus", tcp=tcp, tls=ModbusTls(ca=Path(tls)) if tls else None)
    assert settings.endpoint(address) == endpoint


async def test_rtu_frames_travel_through_tcp() -> None:
    async with tcp_peer(rtu_device(Store(registers={0: 5}), unit=4), framing="rtu") as peer:
        settings = ModbusBus(driver="modbus", tcp=f"127.0.0.1:{peer.port}", framing="rtu", baudrate=19200)
        driver = build("bus", settings, devices(("a", ModbusDevice(unit=4))), HOST)
        assert values(await driver.read(driver.polls["a"][0])) == {"a": 5.0}
        await driver.close()


async def test_a_lamp_is_read_with_its_units_and_its_faults() -> None:
    registers = dict.fromkeys(range(2000, 2016), 0)
    registers |= {2000: 60, 2001: 421, 2002: 1, 2003: 0xE240, 2004: 0, 2005: 90, 2006: 0b0101, 2007: 2305}
    registers |= {2008: 0xFFFF, 2009: 0xFFFF, 2010: 0xFFFF, 2011: 0xFFFF, 2014: 0b1000}
    apart = ("command", "power-factor", "temperature", "starts")  # written, or read in polls of their own
    names = tuple(n for n in CABINET.points if n.startswith(("lamp.1.", "lamp.2.")) and not n.endswith(apart))
    async with tcp_peer(tcp_device(Store(registers=registers))) as peer:
        settings = ModbusBus(driver="modbus", tcp=f"127.0.0.1:{peer.port}")
        driver = build("bus", settings, [BusDevice("d", ModbusDevice(), CABINET, names)], HOST)
        (poll,) = driver.polls["d"]
        seen = await driver.read(poll)
        await driver.close()
    assert len(peer.asked) == 1
    assert set(poll.points) == set(names)
    read = values(seen)
    assert read["lamp.1.level"] == 60.0
    assert read["lamp.1.power"] == 42.1
    assert read["lamp.1.energy"] == 123.456
    assert read["lamp.1.burning"] == 1.5
    assert (read["lamp.1.gear-failure"], read["lamp.1.failure"], read["lamp.1.silent"]) == (1.0, 0.0, 0.0)
    assert read["lamp.1.voltage"] == 230.5
    assert read["lamp.2.level"] == read["lamp.2.energy"] == "the device has no value"
    assert read["lamp.2.silent"] == 1.0
    assert {o.at for o in seen if isinstance(o, Reading | Fault)} == {NOW}


async def test_a_missing_address_is_in_the_end_a_fault_of_its_point_alone() -> None:
    kind = profile(*(register(f"p{i}", i) for i in range(10)))
    store = Store(registers={i: i for i in range(10) if i != 6})
    async with bus(tcp_device(store), kind) as (driver, peer):
        (poll,) = driver.polls["d"]
        first = await driver.read(poll)
        assert all(isinstance(o, Fault) and "illegal address" in o.cause for o in first)
        for _ in range(6):
            last = await driver.read(poll)
        assert values(last) == {f"p{i}": float(i) for i in range(10) if i != 6} | {
            "p6": "illegal address (exception 2)"
        }
        before = len(peer.asked)
        await driver.read(poll)
        assert len(peer.asked) - before == 3


async def test_a_silent_device_raises_and_a_busy_one_too() -> None:
    async with bus(silent, profile(register("a", 0), register("b", 50))) as (driver, peer):
        (poll,) = driver.polls["d"]
        with pytest.raises(NoAnswer):
            await driver.read(poll)
        assert len(peer.asked) == 1
        peer.script = lambda a: [Say(mbap(a, bytes([a.pdu[0] | 0x80, 6])))]
        with pytest.raises(Busy):
            await driver.read(poll)


async def test_adjoining_writes_travel_together_and_are_read_back() -> None:
    points = [p for n, p in CABINET.points.items() if n.startswith("segment") and n.endswith("command")]
    kind = profile(*(p for p in points if isinstance(p, ModbusPoint)))
    store = Store(coils=dict.fromkeys(range(8), 0))
    async with bus(tcp_device(store), kind) as (driver, peer):
        writes = [Write(PointId("d", f"segment.{n}.command"), float(n != 3)) for n in (5, 3, 4, 1)]
        results = await driver.write(writes)
        assert [r.write for r in results] == writes
        assert [r.outcome for r in results] == [Outcome.APPLIED] * 4
        assert [r.observed.value for r in results if r.observed] == [1.0, 0.0, 1.0, 1.0]
        assert store.coils == {0: 1, 1: 0, 2: 0, 3: 1, 4: 1, 5: 0, 6: 0, 7: 0}
        assert [a.pdu[0] for a in peer.asked] == [5, 15, 1]


async def test_a_device_without_multiple_writes_gets_single_ones() -> None:
    kind = profile(register("a", 0), register("b", 1), write_multiple=False)
    store = Store(registers={0: 0, 1: 0})
    async with bus(tcp_device(store), kind) as (driver, peer):
        await driver.write([Write(PointId("d", "a"), 7.0), Write(PointId("d", "b"), 8.0)])
        assert store.registers == {0: 7, 1: 8}
        assert [a.pdu[0] for a in peer.asked] == [6, 6, 3]


async def test_what_cannot_be_written_is_rejected_and_the_rest_is_written() -> None:
    fixed = ModbusPoint("fixed", Table.HOLDING, 3, WireType.UINT16)
    kind = profile(register("a", 0, maximum=100.0), register("b", 1), fixed)
    store = Store(registers=dict.fromkeys(range(4), 0))
    async with bus(tcp_device(store), kind) as (driver, _):
        asked = [("a", 101.0), ("b", 5.0), ("fixed", 1.0), ("c", 1.0), ("b", None)]
        results = await driver.write([Write(PointId("d", name), value) for name, value in asked])
        assert [(r.outcome, r.detail) for r in results] == [
            (Outcome.REJECTED, "101 is above the maximum 100"),
            (Outcome.APPLIED, ""),
            (Outcome.REJECTED, "fixed is not writable"),
            (Outcome.REJECTED, "c is not writable"),
            (Outcome.REJECTED, "a Modbus output has no priority array to relinquish"),
        ]
        assert store.registers == {0: 0, 1: 5, 2: 0, 3: 0}


async def test_one_refused_register_does_not_take_its_neighbours_along() -> None:
    store = Store(registers=dict.fromkeys(range(3), 0))

    def refuses_1(asked: Asked) -> Sequence[Say]:
        function, address, count = struct.unpack_from(">BHH", asked.pdu)
        touched = range(address, address + (count if function == 16 else 1))
        if function in (6, 16) and 1 in touched:
            return [Say(mbap(asked, bytes([function | 0x80, 3])))]
        return [Say(mbap(asked, store(asked.pdu)))]

    async with bus(refuses_1, profile(*(register(n, i) for i, n in enumerate("abc")))) as (driver, _):
        results = await driver.write([Write(PointId("d", name), 9.0) for name in "abc"])
    assert [r.outcome for r in results] == [Outcome.APPLIED, Outcome.REJECTED, Outcome.APPLIED]
    assert results[1].detail == "illegal value (exception 3)"
    assert store.registers == {0: 9, 1: 0, 2: 9}


async def test_an_acknowledged_write_that_does_not_hold_has_no_feedback() -> None:
    store = Store(registers={0: 40})

    def ignores_writes(asked: Asked) -> Sequence[Say]:
        return [Say(mbap(asked, asked.pdu[:5] if asked.pdu[0] == 6 else store(asked.pdu)))]

    async with bus(ignores_writes, profile(register("a", 0, unit="%"))) as (driver, _):
        (result,) = await driver.write([Write(PointId("d", "a"), 60.0)])
    assert result.outcome is Outcome.NO_FEEDBACK
    assert result.detail == "reads back 40 %"
    assert result.observed == Reading(PointId("d", "a"), 40.0, NOW)


async def test_a_register_that_cannot_be_read_has_no_feedback() -> None:
    def write_only(asked: Asked) -> Sequence[Say]:
        return [Say(mbap(asked, asked.pdu[:5] if asked.pdu[0] == 6 else bytes([0x83, 2])))]

    async with bus(write_only, profile(register("a", 0))) as (driver, _):
        (result,) = await driver.write([Write(PointId("d", "a"), 60.0)])
    assert (result.outcome, result.observed) == (Outcome.NO_FEEDBACK, None)
    assert "cannot be read back" in result.detail


async def test_a_write_to_a_silent_device_is_retryable() -> None:
    async with bus(silent, profile(register("a", 0))) as (driver, _):
        with pytest.raises(NoAnswer):
            await driver.write([Write(PointId("d", "a"), 1.0)])


async def test_writes_of_one_call_concern_one_device() -> None:
    attached = devices(("a", ModbusDevice(address="h:1")), ("b", ModbusDevice(address="h:2")))
    driver = build("bus", ModbusBus(driver="modbus"), attached, HOST)
    with pytest.raises(ValueError, match="one device"):
        await driver.write([Write(PointId(name, "a"), 1.0) for name in "ab"])
    assert await driver.write([]) == []


async def test_retries_are_for_a_connection_of_its_own_only() -> None:
    async with tcp_peer(silent) as peer:
        settings = ModbusBus(driver="modbus", tcp=f"127.0.0.1:{peer.port}", timeout_s=0.05, retries=2)
        for pairs, requests in (([("a", 1)], 3), ([("a", 1), ("b", 2)], 1)):
            attached = devices(*((name, ModbusDevice(unit=unit)) for name, unit in pairs))
            driver = build("bus", settings, attached, HOST)
            peer.asked.clear()
            with pytest.raises(NoAnswer):
                await driver.read(driver.polls["a"][0])
            assert len(peer.asked) == requests
            await driver.close()


async def test_lanes_do_not_wait_for_one_another() -> None:
    async with tcp_peer(silent) as dead, tcp_peer(tcp_device(Store(registers={0: 5}))) as alive:
        attached = devices(
            ("dead", ModbusDevice(address=f"127.0.0.1:{dead.port}")),
            ("alive", ModbusDevice(address=f"127.0.0.1:{alive.port}")),
        )
        driver = build("bus", ModbusBus(driver="modbus", timeout_s=0.2, retries=1), attached, HOST)
        waiting = asyncio.create_task(driver.read(driver.polls["dead"][0]))
        await asyncio.sleep(0)
        for _ in range(20):
            assert values(await driver.read(driver.polls["alive"][0])) == {"a": 5.0}
        assert not waiting.done()
        with pytest.raises(NoAnswer):
            await waiting
        await driver.close()


async def test_closing_in_mid_request_fails_it_and_leaves_no_task() -> None:
    async with bus(silent, profile(register("a", 0))) as (driver, peer):
        waiting = asyncio.create_task(driver.read(driver.polls["d"][0]))
        await peer.was_asked.wait()
        await driver.close()
        with pytest.raises(NotConnected):
            await waiting
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_serial_line_that_is_not_there_is_a_terminal_error() -> None:
    attached = devices(("a", ModbusDevice()))
    driver = build("bus", ModbusBus(driver="modbus", serial="ttyUSB9"), attached, HOST)
    with pytest.raises(BindFailed, match="serial line /nowhere/ttyUSB9: no such file or directory"):
        await driver.read(driver.polls["a"][0])
    await driver.close()
