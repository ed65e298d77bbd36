"""Register maps of the meters with floating point, written from the makers' lists (wire addresses, document - 1).

SDM630 and SDM120: input registers, float32, high word first. iEM3155: holding registers, float32 high word first,
powers in kW, energies int64 in Wh. Nothing is ever exported.
"""

from __future__ import annotations

from functools import partial

from sim.mains import PhaseMeter
from sim.registers import HOLDINGS, INPUTS, Unit, lay


def sdm630_unit(name: str, meter: PhaseMeter) -> Unit:
    """Eastron SDM630 Modbus: at most 40 parameters (80 registers) in one answer."""
    unit = Unit(name, identity=("Eastron", "SDM630", "1.0"), most_registers=80)
    unit.cover(INPUTS, 0x0000, 0x0182)
    for n in range(3):
        lay(unit, INPUTS, 0x00 + 2 * n, partial(lambda i: meter.volts[i], n), ">f")
        lay(unit, INPUTS, 0x06 + 2 * n, partial(meter.current_a, n), ">f")
        lay(unit, INPUTS, 0x0C + 2 * n, partial(lambda i: meter.power_w[i], n), ">f")
        lay(unit, INPUTS, 0x12 + 2 * n, partial(meter.apparent_va, n), ">f")
        lay(unit, INPUTS, 0x18 + 2 * n, partial(meter.reactive_var, n), ">f")
        lay(unit, INPUTS, 0x1E + 2 * n, partial(meter.factor, n), ">f")
        lay(unit, INPUTS, 0x15A + 2 * n, partial(lambda i: meter.energy_wh[i] / 1000.0, n), ">f")
    lay(unit, INPUTS, 0x2A, lambda: sum(meter.volts) / 3.0, ">f")
    lay(unit, INPUTS, 0x30, lambda: sum(meter.current_a(n) for n in range(3)), ">f")
    _totals(unit, meter)
    lay(unit, INPUTS, 0x34, lambda: meter.total_w, ">f")
    lay(unit, INPUTS, 0x38, lambda: meter.total_va, ">f")
    lay(unit, INPUTS, 0x3C, lambda: meter.total_var, ">f")
    lay(unit, INPUTS, 0x3E, lambda: meter.power_factor, ">f")
    return unit


def sdm120_unit(name: str, meter: PhaseMeter) -> Unit:
    """Eastron SDM120 Modbus: one phase."""
    unit = Unit(name, identity=("Eastron", "SDM120", "1.0"), most_registers=80)
    unit.cover(INPUTS, 0x0000, 0x015A)
    lay(unit, INPUTS, 0x00, lambda: meter.volts[0], ">f")
    lay(unit, INPUTS, 0x06, lambda: meter.current_a(0), ">f")
    lay(unit, INPUTS, 0x0C, lambda: meter.power_w[0], ">f")
    lay(unit, INPUTS, 0x12, lambda: meter.apparent_va(0), ">f")
    lay(unit, INPUTS, 0x18, lambda: meter.reactive_var(0), ">f")
    lay(unit, INPUTS, 0x1E, lambda: meter.power_factor, ">f")
    _totals(unit, meter)
    return unit


def _totals(unit: Unit, meter: PhaseMeter) -> None:
    """Frequency and energy, at the same addresses in the whole SDM family."""
    lay(unit, INPUTS, 0x46, lambda: meter.hz, ">f")
    lay(unit, INPUTS, 0x48, lambda: meter.total_wh / 1000.0, ">f")
    lay(unit, INPUTS, 0x4A, lambda: 0.0, ">f")
    lay(unit, INPUTS, 0x156, lambda: meter.total_wh / 1000.0, ">f")


def iem3155_unit(name: str, meter: PhaseMeter) -> Unit:
    """Schneider iEM3155."""
    unit = Unit(name, identity=("Schneider Electric", "iEM3155", "1.0"))
    unit.cover(HOLDINGS, 0x0BB7, 0x0C2B - 0x0BB7)
    unit.cover(HOLDINGS, 0x0C83, 64)
    unit.cover(HOLDINGS, 0x0DBD, 12)
    for n in range(3):
        lay(unit, HOLDINGS, 0x0BB7 + 2 * n, partial(meter.current_a, n), ">f")
        lay(unit, HOLDINGS, 0x0BD3 + 2 * n, partial(lambda i: meter.volts[i], n), ">f")
        lay(unit, HOLDINGS, 0x0BED + 2 * n, partial(lambda i: meter.power_w[i] / 1000.0, n), ">f")
        lay(unit, HOLDINGS, 0x0DBD + 4 * n, partial(lambda i: meter.energy_wh[i], n), ">q")
    lay(unit, HOLDINGS, 0x0BC1, lambda: sum(meter.current_a(n) for n in range(3)) / 3.0, ">f")
    lay(unit, HOLDINGS, 0x0BDB, lambda: sum(meter.volts) / 3.0, ">f")
    lay(unit, HOLDINGS, 0x0BF3, lambda: meter.total_w / 1000.0, ">f")
    lay(unit, HOLDINGS, 0x0BFB, lambda: meter.total_var / 1000.0, ">f")
    lay(unit, HOLDINGS, 0x0C03, lambda: meter.total_va / 1000.0, ">f")
    lay(unit, HOLDINGS, 0x0C25, lambda: meter.hz, ">f")
    lay(unit, HOLDINGS, 0x0C83, lambda: meter.total_wh, ">q")
    lay(unit, HOLDINGS, 0x0C87, lambda: 0.0, ">q")
    return unit
