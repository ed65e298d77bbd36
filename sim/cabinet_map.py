"""The register map of the generic cabinet, written from its documentation (docs/profiles.md).

Coils 0-7 contactors; discrete inputs 0-7 auxiliary contacts, 8-15 breakers, 16 door, 17 selector, 18 leakage, 24-31
presence, 32-39 cable loops, 40-47 selectors of the contactors; input registers 0-31 mains and photocell (float32);
holding 1000 + 4 (n - 1) level asked for; input 2000 + 8 (n - 1) and 4000 + 4 (n - 1) what lamp node n answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from sim.cabinet import OUTPUTS, Cabinet
from sim.contactor import Contactor
from sim.lamp import Lamp
from sim.registers import COILS, DISCRETES, HOLDINGS, INPUTS, Cell, Unit, lay

NODES = 64
NO_VALUE_16, NO_VALUE_32 = 0xFFFF, 0xFFFF_FFFF
NO_CELSIUS = -3276.8
"""0x8000: no temperature."""


def cabinet_unit(cabinet: Cabinet) -> Unit:
    """The unit that a cabinet shows on its line."""
    unit = Unit(cabinet.name, identity=("veilleuse", "generic-cabinet", "1.0"))
    for output in range(1, OUTPUTS + 1):
        _contactor(unit, output - 1, cabinet.contactors[output])
    _inputs(unit, cabinet)
    unit.place(DISCRETES, 18, Cell(lambda: int(cabinet.leakage)))
    for number in cabinet.presences:
        unit.place(DISCRETES, 23 + number, Cell(partial(cabinet.detects, number)))
    for output in range(1, OUTPUTS + 1):
        looped = partial(lambda contactor: int(contactor.loop_open), cabinet.contactors[output])
        unit.place(DISCRETES, 31 + output, Cell(looped))
    _mains(unit, cabinet)
    unit.cover(HOLDINGS, 1000, 4 * NODES)
    unit.cover(INPUTS, 2000, 8 * NODES)
    for number in range(1, NODES + 1):
        if number in cabinet.lamps:
            _lamp(unit, number, cabinet.lamps[number][0])
        else:
            _no_lamp(unit, number)
    return unit


def relays_unit(cabinet: Cabinet) -> Unit:
    """The same cabinet seen through relay and input modules alone: no meter, no lamp nodes."""
    unit = Unit(cabinet.name, identity=("veilleuse", "generic-relays", "1.0"))
    for output in range(1, OUTPUTS + 1):
        _contactor(unit, output - 1, cabinet.contactors[output])
    _inputs(unit, cabinet)
    return unit


def _inputs(unit: Unit, cabinet: Cabinet) -> None:
    """Door and selector; inputs that nothing is wired to read 0."""
    unit.cover(DISCRETES, 0, 48)
    unit.place(DISCRETES, 16, Cell(lambda: int(cabinet.door_open)))
    unit.place(DISCRETES, 17, Cell(lambda: int(cabinet.hand is not None)))


def _contactor(unit: Unit, index: int, contactor: Contactor) -> None:
    def close(raw: int) -> None:
        contactor.commanded = bool(raw)

    unit.place(COILS, index, Cell(lambda: int(contactor.commanded), close, highest=1))
    unit.place(DISCRETES, index, Cell(lambda: int(contactor.closed)))
    unit.place(DISCRETES, 8 + index, Cell(lambda: int(contactor.tripped)))
    unit.place(DISCRETES, 40 + index, Cell(lambda: int(contactor.hand is not None)))


def _mains(unit: Unit, cabinet: Cabinet) -> None:
    meter = cabinet.meter
    for phase in range(3):
        lay(unit, INPUTS, 2 * phase, partial(lambda n: meter.volts[n], phase), ">f")
        lay(unit, INPUTS, 6 + 2 * phase, partial(meter.current_a, phase), ">f")
        lay(unit, INPUTS, 18 + 2 * phase, partial(lambda n: meter.power_w[n], phase), ">f")
    lay(unit, INPUTS, 12, lambda: meter.total_w, ">f")
    lay(unit, INPUTS, 14, lambda: meter.total_wh / 1000.0, ">f")
    lay(unit, INPUTS, 16, lambda: meter.hz, ">f")
    lay(unit, INPUTS, 24, lambda: _number(cabinet.photocell.lux), ">f")
    for phase in range(3):
        lay(unit, INPUTS, 26 + 2 * phase, partial(meter.factor, phase), ">f")


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _lamp(unit: Unit, number: int, lamp: Lamp) -> None:
    def node(value: Callable[[], float], silent: float = 0.0) -> Callable[[], float]:
        return lambda: value() if lamp.answers else silent

    unit.place(HOLDINGS, 1000 + 4 * (number - 1), Cell(lambda: round(lamp.command_pct), lamp.tell, highest=100))
    base = 2000 + 8 * (number - 1)
    reported = node(lambda: 0.0 if lamp.status_bits & 0b10 else lamp.level_pct)
    lay(unit, INPUTS, base, reported, ">H")
    lay(unit, INPUTS, base + 1, node(lambda: lamp.power_w * 10.0), ">H")
    lay(unit, INPUTS, base + 2, lambda: lamp.energy_wh, ">I")
    lay(unit, INPUTS, base + 4, lambda: lamp.burning_h * 60.0, ">I")
    lay(unit, INPUTS, base + 6, lambda: lamp.status_bits, ">H")
    lay(unit, INPUTS, base + 7, node(lambda: lamp.volts * 10.0), ">H")
    base = 4000 + 4 * (number - 1)
    lay(unit, INPUTS, base, node(lambda: lamp.power_factor * 1000.0, NO_VALUE_16), ">H")
    lay(unit, INPUTS, base + 1, node(lambda: lamp.gear_c * 10.0, NO_CELSIUS * 10.0), ">h")
    lay(unit, INPUTS, base + 2, lambda: lamp.starts, ">I")


def _no_lamp(unit: Unit, number: int) -> None:
    """An address that no node was given: the gateway keeps what is written and has no value to show."""
    kept = [0]
    unit.place(HOLDINGS, 1000 + 4 * (number - 1), Cell(lambda: kept[0], partial(kept.__setitem__, 0), highest=100))
    base = 2000 + 8 * (number - 1)
    for offset in range(6):
        unit.place(INPUTS, base + offset, Cell(lambda: NO_VALUE_16))
    unit.place(INPUTS, base + 6, Cell(lambda: 0b1000))
    unit.place(INPUTS, base + 7, Cell(lambda: 0))
    base = 4000 + 4 * (number - 1)
    lay(unit, INPUTS, base, lambda: NO_VALUE_16, ">H")
    lay(unit, INPUTS, base + 1, lambda: NO_CELSIUS * 10.0, ">h")
    lay(unit, INPUTS, base + 2, lambda: NO_VALUE_32, ">I")
