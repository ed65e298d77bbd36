"""Modbus requests and answers as bytes, written by hand from the specification and the devices' maps."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from drivers.modbus.codec import decode
from drivers.modbus.polling import polls
from drivers.profile import Encoding, ModbusPoint, Table, WireType, Written
from drivers.profile_file import load_profile, load_profiles, shipped_profiles
from sim.bank import RegisterBank
from sim.cabinet_map import cabinet_unit, relays_unit
from sim.dali_maps import GATEWAYS
from sim.lamp import Lamp
from sim.lamp_sheet import LampData
from sim.mains import PhaseMeter
from sim.pdu import answer
from sim.registers import Cell, Unit
from sim.rtu_line import crc16
from sim.town import METERS, Town
from tests.sim.towns import WINTER_EVENING, street


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.fixture
def town() -> Town:
    town = Town.from_site(street(), seed=1, start=WINTER_EVENING)
    town.step(1.0)
    return town


GOLDEN = [
    ("read 8 coils, all open", "01 0000 0008", "01 01 00"),
    ("close contactor 1", "05 0000 FF00", "05 0000 FF00"),
    ("open contactor 1", "05 0000 0000", "05 0000 0000"),
    ("a coil takes FF00 or 0000 only", "05 0000 0001", "85 03"),
    ("there is no coil 8", "05 0008 FF00", "85 02"),
    ("coils 7-8: the second does not exist", "01 0007 0002", "81 02"),
    ("inputs 0-16", "02 0000 0011", "02 03 00 00 00"),
    ("inputs 16-47: nothing is broken", "02 0010 0020", "02 04 00 00 00 00"),
    ("there is no input 48", "02 0030 0001", "82 02"),
    ("no bits at all", "02 0000 0000", "82 03"),
    ("lamp 1 to 40 %", "06 03E8 0028", "06 03E8 0028"),
    ("101 % is no level", "06 03E8 0065", "86 03"),
    ("reserved register behind a command", "06 03E9 0001", "86 02"),
    ("input registers cannot be written", "06 07D0 0001", "86 02"),
    ("contactors 1 and 2 at once", "0F 0000 0002 01 03", "0F 0000 0002"),
    ("byte count does not fit", "0F 0000 0009 01 03", "8F 03"),
    ("lamp 1 to 50 % as multiple", "10 03E8 0001 02 0032", "10 03E8 0001"),
    ("a block over reserved registers is refused whole", "10 03E8 0002 04 0032 0000", "90 02"),
    ("lamp 7 does not exist: no value", "04 0800 0001", "04 02 FFFF"),
    ("lamp 7 does not exist: no power factor, temperature, starts", "04 0FB8 0004", "04 08 FFFF 8000 FFFF FFFF"),
    ("lamp 1 is not fed: no power factor, no temperature", "04 0FA0 0002", "04 04 FFFF 8000"),
    ("behind the last register", "04 09D0 0001", "84 02"),
    ("behind the last slow register", "04 10A0 0001", "84 02"),
    ("126 registers are too many", "03 03E8 007E", "83 03"),
    ("function 17 is not there", "11", "91 01"),
    ("a request that is cut short", "03 03E8 00", "83 03"),
    ("identification of the vendor", "2B 0E 04 00", "2B 0E 04 81 00 00 01 00 09 7665696C6C65757365"),
]


@pytest.mark.parametrize(("what", "request_hex", "answer_hex"), GOLDEN, ids=[row[0] for row in GOLDEN])
def test_cabinet_answers(town: Town, what: str, request_hex: str, answer_hex: str) -> None:
    assert answer(town.units["cab"], hexed(request_hex)) == hexed(answer_hex), what


def test_a_refused_block_moves_nothing(town: Town) -> None:
    before = town.lighting.lamps["l-1"].command_pct
    answer(town.units["cab"], hexed("10 03E8 0002 04 0032 0000"))
    assert town.lighting.lamps["l-1"].command_pct == before


def test_commands_reach_the_street_and_its_answers_come_back(town: Town) -> None:
    cabinet = town.units["cab"]
    answer(cabinet, hexed("0F 0000 0002 01 03"))
    answer(cabinet, hexed("06 03E8 0032"))
    town.step(30.0)
    assert town.lighting.contactors["seg-1"].closed
    assert answer(cabinet, hexed("02 0000 0008")) == hexed("02 01 03")
    level, power, energy, burning, status, volts = struct.unpack(">HHIIHH", answer(cabinet, hexed("04 07D0 0008"))[2:])
    lamp = town.lighting.lamps["l-1"]
    assert (level, status) == (50, 0b100)
    assert power == round(lamp.power_w * 10)
    assert 300 <= power <= 330
    assert energy == round(lamp.energy_wh)
    assert burning == round(lamp.burning_h * 60)
    assert 2200 <= volts <= 2400


def test_an_unfed_node_is_silent_and_keeps_its_counters(town: Town) -> None:
    lamp = town.lighting.lamps["l-1"]
    level, power, energy, _, status, volts = struct.unpack(
        ">HHIIHH", answer(town.units["cab"], hexed("04 07D0 0008"))[2:]
    )
    assert (level, power, status, volts) == (0, 0, 0b1000, 0)
    assert energy == round(lamp.energy_wh) > 0


def floats(unit: Unit, function: int, address: int, count: int) -> tuple[float, ...]:
    request = struct.pack(">BHH", function, address, 2 * count)
    return struct.unpack(f">{count}f", answer(unit, request)[2:])


def test_cabinet_mains_block(town: Town) -> None:
    meter = town.cabinet("cab").meter
    block = floats(town.units["cab"], 4, 0, 12)
    assert block[0:3] == pytest.approx(meter.volts)
    assert block[6:9] == pytest.approx((meter.total_w, meter.total_wh / 1000.0, meter.hz))
    assert block[9:12] == pytest.approx(meter.power_w)
    assert block[3] * block[0] * meter.factor(0) == pytest.approx(block[9])
    assert floats(town.units["cab"], 4, 26, 3) == pytest.approx([meter.factor(phase) for phase in range(3)])
    assert floats(town.units["cab"], 4, 24, 1) == pytest.approx((town.cabinet("cab").photocell.lux,))


def test_sdm630_by_its_data_sheet(town: Town) -> None:
    unit, meter = town.units["meter"], town.meters["meter"]
    assert floats(unit, 4, 0x00, 3) == pytest.approx(meter.volts)
    assert floats(unit, 4, 0x0C, 3) == pytest.approx(meter.power_w)
    assert floats(unit, 4, 0x34, 1) == pytest.approx((meter.total_w,))
    assert floats(unit, 4, 0x46, 1) == pytest.approx((meter.hz,))
    assert floats(unit, 4, 0x48, 1) == floats(unit, 4, 0x156, 1) == pytest.approx((meter.total_wh / 1000.0,))
    assert floats(unit, 4, 0x15A, 3) == pytest.approx([energy / 1000.0 for energy in meter.energy_wh])
    assert answer(unit, hexed("04 0000 0052")) == hexed("84 03"), "40 parameters at once, no more"
    assert answer(unit, hexed("03 0000 0002")) == hexed("83 02"), "there are no holding registers"


def test_iem3155_by_its_data_sheet(town: Town) -> None:
    unit, meter = town.units["feeder"], town.meters["feeder"]
    assert floats(unit, 3, 0x0BD3, 3) == pytest.approx(meter.volts)
    assert floats(unit, 3, 0x0BF3, 1) == pytest.approx((meter.total_w / 1000.0,))
    assert floats(unit, 3, 0x0C25, 1) == pytest.approx((meter.hz,))
    (total_wh,) = struct.unpack(">q", answer(unit, hexed("03 0C83 0004"))[2:])
    assert total_wh == round(meter.total_wh)
    assert answer(unit, hexed("04 0BF3 0002")) == hexed("84 02")


def test_crc_of_the_specification() -> None:
    assert crc16(hexed("02 07")) == hexed("41 12")
    assert crc16(hexed("01 03 0000 000A")) == hexed("C5 CD")


def test_a_profile_of_the_sites_own_gets_a_bank() -> None:
    points = [
        ModbusPoint("lamp.1.command", Table.HOLDING, 10, WireType.UINT16, "%", writable=True, feedback="lamp.1.level"),
        ModbusPoint("lamp.1.level", Table.INPUT, 20, WireType.FLOAT32, "%", word_order="little"),
        ModbusPoint("meter.voltage-l1", Table.INPUT, 24, WireType.UINT16, "V", scale=0.1),
        ModbusPoint("door", Table.INPUT, 30, WireType.BIT, bit=5),
        ModbusPoint("segment.1.command", Table.COIL, 3, WireType.BIT, writable=True, feedback="segment.1.feedback"),
        ModbusPoint("segment.1.feedback", Table.DISCRETE, 4, WireType.BIT),
    ]
    bank = RegisterBank("own", points)
    unit = bank.unit
    assert answer(unit, hexed("04 0018 0001")) == hexed("04 02 08FC")
    assert answer(unit, hexed("06 000A 0028")) == hexed("06 000A 0028")
    assert answer(unit, hexed("04 0014 0002")) == hexed("04 04 0000 4220"), "40.0, low word first"
    assert answer(unit, hexed("05 0003 FF00")) == hexed("05 0003 FF00")
    assert answer(unit, hexed("02 0004 0001")) == hexed("02 01 01")
    assert answer(unit, hexed("06 0014 0001")) == hexed("86 02"), "what the profile only reads is read-only"
    bank.put("door", 1.0)
    assert answer(unit, hexed("04 001E 0001")) == hexed("04 02 0020")


def test_a_bank_takes_levels_elsewhere_and_telegrams() -> None:
    def lamp(n: int, **more: Any) -> ModbusPoint:
        return ModbusPoint(
            f"lamp.{n}.command", Table.INPUT, 4 * n, WireType.UINT16, "%", writable=True, bits=(0, 7),
            encoding=Encoding.DALI_ARC, **more,
        )  # fmt: skip

    unit = RegisterBank(
        "own", [lamp(1, written=Written(64, 0)), lamp(2, written=Written(64, 1)), lamp(3, written=Written(9))]
    ).unit
    assert answer(unit, hexed("10 0040 0002 04 0101 E500")) == hexed("10 0040 0002")
    assert answer(unit, hexed("06 0009 00AA")) == hexed("06 0009 00AA")
    assert answer(unit, hexed("04 0004 0009")) == hexed("04 12 0000 0000 0000 0000 00E5 0000 0000 0000 00AA")
    assert answer(unit, hexed("06 0004 0001")) == hexed("86 02")


def shipped_units() -> dict[str, Unit]:
    """A unit for every shipped Modbus profile."""
    town = Town.from_site(street(), seed=1, start=WINTER_EVENING)
    nodes = {number: Lamp(LampData(60.0)) for number in range(1, 65)}
    cabinet = town.cabinet("cab")
    return {
        "generic-cabinet": cabinet_unit(cabinet),
        "generic-relays": relays_unit(cabinet),
        **{name: shown(name, PhaseMeter()) for name, (_, shown) in METERS.items()},
        **{name: shown(name, nodes) for name, shown in GATEWAYS.items()},
    }


def test_shipped_profiles_ask_only_for_what_the_devices_have() -> None:
    """The maps were written twice, from the same papers: here they meet."""
    shipped = {name: profile for name, profile in load_profiles().items() if profile.protocol == "modbus"}
    units = shipped_units()
    assert set(units) == set(shipped), "every shipped profile has a device of its own here"
    for name, unit in units.items():
        assert shipped[name].modbus.max_registers <= unit.most_registers
        for point in shipped[name].points.values():
            assert isinstance(point, ModbusPoint)
            cells = [unit.cells[point.table].get(point.address + n) for n in range(point.type.registers)]
            assert all(cells), f"{name} {point.name}"
            written = point.written
            put = cells[0] if written is None else unit.cells["holding"].get(written.address)
            assert put is not None
            assert (put.write is not None) or not point.writable, f"{name} {point.name}"


PHASE_VALUES: dict[str, Callable[[PhaseMeter, int], float]] = {
    "voltage": lambda meter, n: meter.volts[n],
    "current": PhaseMeter.current_a,
    "power": lambda meter, n: meter.power_w[n],
    "apparent-power": PhaseMeter.apparent_va,
    "reactive-power": PhaseMeter.reactive_var,
    "power-factor": PhaseMeter.factor,
}
TOTALS: dict[str, Callable[[PhaseMeter], float]] = {
    "power": lambda meter: meter.total_w,
    "apparent-power": lambda meter: meter.total_va,
    "reactive-power": lambda meter: meter.total_var,
    "power-factor": lambda meter: meter.power_factor,
    "frequency": lambda meter: meter.hz,
    "energy": lambda meter: meter.total_wh / 1000.0,
    "energy-export": lambda _: 0.0,
}


@pytest.mark.parametrize("name", METERS)
def test_what_a_profile_reads_is_what_the_meter_knows(name: str) -> None:
    phases, shown = METERS[name]
    meter = PhaseMeter(0.9, [231.4, 229.8, 230.3], [1200.0, 800.0, 2500.0], [4.1e6, 5.2e6, 6.3e6], 49.97)
    meter.var = [400.0, 500.0, 600.0]
    if phases == 1:
        meter = PhaseMeter(0.9, [231.4, 0.0, 0.0], [1200.0, 0.0, 0.0], [4.1e6, 0.0, 0.0], 49.97)
    unit, profile = shown(name, meter), load_profile(shipped_profiles()[name])
    points = [point for point in profile.points.values() if isinstance(point, ModbusPoint)]
    for _, requests in polls("m", points, profile.modbus):
        for request in requests:
            words = unit.read(request.table, request.address, request.count)
            assert request.count <= unit.most_registers
            for point in request.points:
                quantity, _, phase = point.name.removeprefix("meter.").partition("-l")
                truth = PHASE_VALUES[quantity](meter, int(phase) - 1) if phase else TOTALS[quantity](meter)
                read = decode(request.words_of(point, words), point)
                assert read == pytest.approx(truth, abs=max(point.scale / 2, 1e-3), rel=1e-6), point.name


def test_two_cells_never_share_an_address() -> None:
    unit = Unit("x")
    unit.place("coil", 1, Cell(lambda: 0))
    with pytest.raises(ValueError, match="two cells"):
        unit.place("coil", 1, Cell(lambda: 0))
