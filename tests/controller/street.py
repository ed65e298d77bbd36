"""A street for diagnostics: a cabinet, contactors on phases, lamps with and without nodes, and what may break in it.

The lamps draw what their type says; ``Street`` works the registers out anew before each poll.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from config.site import Cabinet, Device, Group, Lamp, LampType, Meter, ModbusDevice, Segment, Site
from controller.core.wiring import Wiring
from drivers.profile import ModbusPoint, Profile, Table, WireType
from schedules.plan import Plan
from tests.controller.field import Field
from tests.controller.towns import LED, PLACE, at, program, town

LAMP_WORDS = (
    "command", "level", "power", "failure", "gear-failure", "silent", "voltage", "power-factor", "temperature",
    "open-circuit", "thermal-shutdown",
)  # fmt: skip
SEGMENT_WORDS = ("command", "feedback", "breaker", "loop", "local")
MAINS = tuple(f"meter.{what}-l{phase}" for what in ("voltage", "power") for phase in (1, 2, 3))
WHOLE_NIGHT = Plan("lit", program("lit", {}), (), PLACE)
OWN_W = 9.0


@lru_cache
def street_profile(lamps: int, segments: int) -> Profile:
    """Everything that a well equipped cabinet may tell."""
    names = ["door", "local", "leakage", "meter.power", *MAINS]
    names += [f"segment.{n}.{word}" for n in range(1, segments + 1) for word in SEGMENT_WORDS]
    names += [f"lamp.{n}.{word}" for n in range(1, lamps + 1) for word in LAMP_WORDS]
    return Profile("street", "A street", "modbus", "for tests", date(2026, 1, 1), {n: _point(n) for n in names})


def _point(name: str) -> ModbusPoint:
    scale = 0.1 if name.endswith("power") else 1.0
    return ModbusPoint(name, Table.HOLDING, 0, WireType.UINT16, scale=scale, writable=name.endswith("command"))


def street(
    lamps: int = 8,
    kind: LampType = LED,
    plan: Plan = WHOLE_NIGHT,
    segments: int = 2,
    phases: tuple[int | None, ...] = (1, 2, 3),
    nodes: bool = True,
    metered: bool = True,
) -> Site:
    """One cabinet ``c`` with contactors ``s1``.. on phases 1.. and lamps ``l1``.. in turn behind them."""
    profile = street_profile(lamps if nodes else 0, segments)
    used = tuple(point for point in profile.points if metered or not point.startswith("meter."))
    names = [f"s{n}" for n in range(1, segments + 1)]
    found = [
        Lamp(f"l{n}", "cab", n if nodes else None, kind, cabinet="c", segment=names[(n - 1) % segments])
        for n in range(1, lamps + 1)
    ]
    base = town()
    return replace(
        base,
        buses={"armoires": base.buses["armoires"]},
        devices={"cab": Device("cab", "armoires", profile, ModbusDevice(unit=1, address="127.0.0.1:5020"), used)},
        plans={plan.id: plan},
        groups={"all": Group("all", plan, tuple(lamp.id for lamp in found))},
        lamps={lamp.id: lamp for lamp in found},
        segments={name: Segment(name, "c", "cab", n, phases[n - 1]) for n, name in enumerate(names, 1)},
        cabinets={"c": Cabinet("c", "cab", "", tuple(names))},
        meters={},
        buildings={},
        zones={},
    )


def with_gateway(site: Site) -> Site:
    """The same street with its nodes behind a gateway of their own, ``dali``."""
    cabinet = site.devices["cab"]
    mine = tuple(point for point in cabinet.points if not point.startswith("lamp."))
    theirs = tuple(point for point in cabinet.points if point.startswith("lamp."))
    devices = {**site.devices, "cab": replace(cabinet, points=mine), "dali": replace(cabinet, id="dali", points=theirs)}
    lamps = {name: replace(lamp, device="dali") for name, lamp in site.lamps.items()}
    return replace(site, devices=devices, lamps=lamps)


def with_meter(site: Site) -> Site:
    """The same street with its mains read at a meter ``m`` of its own, device ``emu``."""
    cabinet = site.devices["cab"]
    mine = tuple(point for point in cabinet.points if not point.startswith("meter."))
    theirs = tuple(point for point in cabinet.points if point.startswith("meter."))
    devices = {**site.devices, "cab": replace(cabinet, points=mine), "emu": replace(cabinet, id="emu", points=theirs)}
    return replace(site, devices=devices, meters={"m": Meter("m", "emu", cabinet="c")})


@dataclass
class Street(Field):
    """The street in virtual time. Sets are of lamp ids or segment ids that are broken in that way."""

    volts: list[float] = field(default_factory=lambda: [230.0, 230.0, 230.0])
    gain: list[float] = field(default_factory=lambda: [1.0, 1.0, 1.0])
    """What the meter makes of one watt."""
    others_w: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    out: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    stuck_at: dict[str, float] = field(default_factory=dict)
    """The level that a gear gives whatever it is told but 0."""
    factor: dict[str, float] = field(default_factory=dict)
    """What a lamp draws against its type."""
    bits: dict[str, float] = field(default_factory=dict)
    """Inputs of the cabinet, ``door`` or ``segment.1.loop``."""
    welded: dict[str, float] = field(default_factory=dict)
    """Where a contactor stands whatever it is told."""

    def poll(self) -> None:
        """Work out what everything draws, then let the devices answer."""
        load = [OWN_W, 0.0, 0.0]
        feeds = {segment: self._feeds(segment) for segment in self.wiring.site.segments}
        for lamp in self.wiring.site.lamps.values():
            phase = (lamp.phase or self.wiring.site.segments[lamp.segment or ""].phase or 1) - 1
            fed = feeds[lamp.segment or ""] and lamp.id not in self.cut and self.volts[phase] >= 115.0
            load[phase] += self._draw(lamp, phase, fed)
        self._meter([watts + other for watts, other in zip(load, self.others_w, strict=True)])
        for point, value in self.bits.items():
            self.held["cab", point] = value
        super().poll()

    def _feeds(self, segment_id: str) -> bool:
        segment = self.wiring.site.segments[segment_id]
        stem = f"segment.{segment.output}"
        closed = self.welded.get(segment_id, self.held["cab", f"{stem}.command"])
        self.held["cab", f"{stem}.feedback"] = closed
        return closed == 1.0 and not self.bits.get(f"{stem}.breaker")

    def _draw(self, lamp: Lamp, phase: int, fed: bool) -> float:
        if not lamp.has_node:
            return lamp.type.expected_power_w(100.0) * self.factor.get(lamp.id, 1.0) if self._burns(lamp, fed) else 0.0
        told = self.held[lamp.device, f"lamp.{lamp.address}.command"]
        level = self.stuck_at.get(lamp.id, told) if told > 0.0 else 0.0
        watts = lamp.type.expected_power_w(level) if self._burns(lamp, fed) else 0.4
        watts = watts * self.factor.get(lamp.id, 1.0) if fed else 0.0
        answers = fed and lamp.id not in self.mute
        shown = {
            "level": level, "power": round(watts, 1), "failure": float(lamp.id in self.out),
            "silent": float(not answers), "voltage": self.volts[phase], "power-factor": 0.95 if level else 0.4,
        }  # fmt: skip
        for word, value in shown.items():
            self.held[lamp.device, f"lamp.{lamp.address}.{word}"] = value if answers or word == "silent" else 0.0
        return watts

    def _burns(self, lamp: Lamp, fed: bool) -> bool:
        return fed and lamp.id not in self.out

    def _meter(self, load: list[float]) -> None:
        device = next(name for name in ("emu", "cab") if name in self.wiring.site.devices)
        alive = [volts >= 115.0 for volts in self.volts]
        seen = [w * gain if on else 0.0 for w, gain, on in zip(load, self.gain, alive, strict=True)]
        for phase in (1, 2, 3):
            self.held[device, f"meter.voltage-l{phase}"] = self.volts[phase - 1]
            self.held[device, f"meter.power-l{phase}"] = seen[phase - 1]
        self.held[device, "meter.power"] = sum(seen)


def lit_street(site: Site | None = None, when: str = "2026-01-12 19:00") -> Street:
    """A street that has burnt for an hour and more on a January evening."""
    found = Street(Wiring(site or street()), at("2026-01-12 16:00"))
    found.start()
    found.until(at(when))
    return found


def raised(field: Field) -> dict[tuple[str, str], str | None]:
    """What is in alarm, and what explains it."""
    return {name: alarm.suppressed_by for name, alarm in field.state.alarms.items() if alarm.raised is not None}


def roots(field: Field) -> set[tuple[str, str]]:
    """The alarms that shout."""
    return {name for name, cause in raised(field).items() if cause is None}


def told(field: Field) -> list[tuple[str, str, object]]:
    """Every alarm event so far: target, event and state."""
    return [
        (each.target, str(each.facts["event"]), each.facts["state"]) for each in field.events if each.name == "alarm"
    ]


def moment(text: str) -> datetime:
    """Local time in Valbourg."""
    return at(text)


SECONDS = timedelta(seconds=10)
