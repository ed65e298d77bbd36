"""Register maps of the meters with scaled whole numbers, written from the makers' lists, as addressed on the wire.

Carlo Gavazzi ("EM24-DIN communication protocol", "EM300 and ET300 series communication protocol" V2 R17): values of
two words come low word first; V, W, VA, var and kWh x 10, A and PF x 1000, Hz x 10. Functions 03 and 04 read the same.
Socomec (communication tables of COUNTIS E24 and E34/E44): high word first; V x 100, A x 1000, powers / 10, kWh x 100.
Nothing is ever exported.
"""

from __future__ import annotations

from functools import partial

from sim.mains import PhaseMeter
from sim.registers import HOLDINGS, INPUTS, Unit, Value, lay


def em24_unit(name: str, meter: PhaseMeter) -> Unit:
    """EM24-DIN with RS485: at most 11 words in one answer."""
    unit = Unit(name, identity=("Carlo Gavazzi", "EM24-DIN", "3.1"), most_registers=11)
    _gavazzi(unit, meter, power_factor=0x32, hz=0x37, last=0x67)
    _gavazzi_energy(unit, meter, total=0x3E, partial_total=0x42, phases=0x46, exported=0x5C)
    return unit


def em340_unit(name: str, meter: PhaseMeter) -> Unit:
    """EM340: at most 50 words in one answer."""
    unit = Unit(name, identity=("Carlo Gavazzi", "EM340", "2.17"), most_registers=50)
    _gavazzi(unit, meter, power_factor=0x2E, hz=0x33, last=0x53)
    _gavazzi_energy(unit, meter, total=0x34, partial_total=0x3C, phases=0x40, exported=0x4E)
    return unit


def _gavazzi(unit: Unit, meter: PhaseMeter, *, power_factor: int, hz: int, last: int) -> None:
    """What both families have at 00h to 2Dh, and the single words behind it."""
    for table in (INPUTS, HOLDINGS):
        unit.cover(table, 0x00, last + 1)
    for n in range(3):
        _words(unit, 0x00 + 2 * n, partial(lambda i: meter.volts[i] * 10.0, n))
        _words(unit, 0x0C + 2 * n, partial(lambda i: meter.current_a(i) * 1000.0, n))
        _words(unit, 0x12 + 2 * n, partial(lambda i: meter.power_w[i] * 10.0, n))
        _words(unit, 0x18 + 2 * n, partial(lambda i: meter.apparent_va(i) * 10.0, n))
        _words(unit, 0x1E + 2 * n, partial(lambda i: meter.reactive_var(i) * 10.0, n))
    _words(unit, 0x24, lambda: sum(meter.volts) / 3.0 * 10.0)
    _words(unit, 0x28, lambda: meter.total_w * 10.0)
    _words(unit, 0x2A, lambda: meter.total_va * 10.0)
    _words(unit, 0x2C, lambda: meter.total_var * 10.0)
    for n in range(3):
        _word(unit, power_factor + n, partial(lambda i: meter.factor(i) * 1000.0, n))
    _word(unit, power_factor + 3, lambda: meter.power_factor * 1000.0)
    _word(unit, hz, lambda: meter.hz * 10.0)


def _gavazzi_energy(
    unit: Unit, meter: PhaseMeter, *, total: int, partial_total: int, phases: int, exported: int
) -> None:
    """kWh (+) TOT, kWh (+) PAR (which somebody has reset), kWh (+) L1-L3, kWh (-) TOT."""
    _words(unit, total, lambda: meter.total_wh / 100.0)
    _words(unit, partial_total, lambda: (meter.total_wh / 100.0) % 1000.0)
    _words(unit, exported, lambda: 0.0)
    for n in range(3):
        _words(unit, phases + 2 * n, partial(lambda i: meter.energy_wh[i] / 100.0, n))


def _words(unit: Unit, address: int, value: Value) -> None:
    for table in (INPUTS, HOLDINGS):
        lay(unit, table, address, value, ">i", low_first=True)


def _word(unit: Unit, address: int, value: Value) -> None:
    for table in (INPUTS, HOLDINGS):
        lay(unit, table, address, value, ">h")


def countis_e24_unit(name: str, meter: PhaseMeter) -> Unit:
    """Socomec COUNTIS E24: the place of the frequency is reserved."""
    unit = Unit(name, identity=("SOCOMEC", "Countis E24", "1.3"))
    _countis(unit, meter)
    lay(unit, HOLDINGS, 50526, lambda: 0xFFFFFFFF, ">I")
    return unit


def countis_e44_unit(name: str, meter: PhaseMeter) -> Unit:
    """Socomec COUNTIS E44."""
    unit = Unit(name, identity=("SOCOMEC", "Countis E44", "2.0"))
    _countis(unit, meter)
    lay(unit, HOLDINGS, 50526, lambda: meter.hz * 100.0, ">I")
    return unit


def _countis(unit: Unit, meter: PhaseMeter) -> None:
    """C550h: what is measured now. C650h: counters in kWh. C700h: counters in 10 Wh."""
    unit.cover(HOLDINGS, 0xC550, 64)
    unit.cover(HOLDINGS, 0xC650, 20)
    unit.cover(HOLDINGS, 0xC700, 20)
    for n in range(3):
        lay(unit, HOLDINGS, 0xC558 + 2 * n, partial(lambda i: meter.volts[i] * 100.0, n), ">I")
        lay(unit, HOLDINGS, 0xC560 + 2 * n, partial(lambda i: meter.current_a(i) * 1000.0, n), ">I")
        lay(unit, HOLDINGS, 0xC570 + 2 * n, partial(lambda i: meter.power_w[i] / 10.0, n), ">i")
        lay(unit, HOLDINGS, 0xC576 + 2 * n, partial(lambda i: meter.reactive_var(i) / 10.0, n), ">i")
        lay(unit, HOLDINGS, 0xC57C + 2 * n, partial(lambda i: meter.apparent_va(i) / 10.0, n), ">I")
        lay(unit, HOLDINGS, 0xC582 + 2 * n, partial(lambda i: meter.factor(i) * 1000.0, n), ">i")
    lay(unit, HOLDINGS, 0xC568, lambda: meter.total_w / 10.0, ">i")
    lay(unit, HOLDINGS, 0xC56A, lambda: meter.total_var / 10.0, ">i")
    lay(unit, HOLDINGS, 0xC56C, lambda: meter.total_va / 10.0, ">I")
    lay(unit, HOLDINGS, 0xC56E, lambda: meter.power_factor * 1000.0, ">i")
    lay(unit, HOLDINGS, 0xC652, lambda: meter.total_wh / 1000.0, ">I")
    lay(unit, HOLDINGS, 0xC702, lambda: meter.total_wh / 10.0, ">I")
    lay(unit, HOLDINGS, 0xC708, lambda: 0.0, ">I")
