"""Faults by command, applied to the plant: who is meant, whether it fits, what breaks and how it is repaired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from config.site import Site
from sim.building import Building
from sim.contactor import Stuck
from sim.fault_kinds import KINDS, BadRequest
from sim.faults import Fault, FaultTable, parse_fault
from sim.heating_sabotage import HeatingSabotage
from sim.lamp_failures import Failure
from sim.lighting_plant import LightingPlant
from sim.objects import BacnetObject
from sim.sensors import Stare


class Sabotage:
    """Breaks and repairs; the table is the one truth about what is broken."""

    def __init__(
        self,
        site: Site,
        table: FaultTable,
        lighting: LightingPlant,
        buildings: Mapping[str, Building],
        objects: Mapping[str, list[BacnetObject]],
    ) -> None:
        self._site, self._table, self._lighting = site, table, lighting
        self._heating = HeatingSabotage(site, table, buildings, objects)
        table.watch(self._apply)

    def break_(self, words: list[str], now_s: float) -> Fault:
        """``TARGET KIND [ARGUMENT...] [for DURATION]``; raises BadRequest and then nothing has changed."""
        fault = parse_fault(words, now_s)
        targets = self.targets(KINDS[fault.kind].scope)
        if fault.target not in targets:
            raise BadRequest(self._unknown(fault, targets))
        self._heating.check(fault)
        if fault.kind == "cut" and fault.number > len(self._lighting.circuits[fault.target]):
            raise BadRequest(f"{fault.target} has {len(self._lighting.circuits[fault.target])} lamps")
        if fault.arguments == ("auto",):
            self._table.clear(each for each in self._table.active if each.key == fault.key)
        else:
            self._table.add(fault)
        return fault

    def repair(self, target: str | None, kind: str | None = None) -> list[Fault]:
        """Clear everything, or what is broken at ``target`` (of ``kind``). Raises BadRequest where nothing is."""
        faults = [
            fault for fault in self._table.active if target in (None, fault.target) and kind in (None, fault.kind)
        ]
        if target is not None and not faults:
            raise BadRequest(f"nothing is broken at {target!r}")
        self._table.clear(faults)
        return faults

    def targets(self, scope: str) -> Collection[str]:
        """The ids that faults of a scope may name."""
        lighting = self._lighting
        cabinets = [*lighting.cabinets, *self._doors()]
        known: dict[str, Collection[str]] = {
            "device": self._site.devices,
            "segment": lighting.contactors,
            "lamp": lighting.lamps,
            "cabinet": cabinets,
            "segment or cabinet": [*lighting.contactors, *cabinets],
            "photocell": lighting.photocells,
            "presence sensor": lighting.presences,
        }
        return known[scope] if scope in known else self._heating.targets(scope) or ()

    def _doors(self) -> dict[str, str]:
        cabinets = self._site.cabinets.values()
        return {cabinet.id: cabinet.device for cabinet in cabinets if cabinet.device in self._lighting.cabinets}

    def _unknown(self, fault: Fault, targets: Iterable[str]) -> str:
        words = {"object": "zone or BACnet device", "boiler": "device with a boiler"}
        scope = words.get(KINDS[fault.kind].scope, KINDS[fault.kind].scope)
        near = get_close_matches(fault.target, list(targets), 1)
        return f"no {scope} {fault.target!r}" + (f": did you mean {near[0]!r}?" if near else "")

    def _apply(self, fault: Fault, active: bool) -> None:
        """Bring what the fault concerns to what the table says."""
        scope, target = KINDS[fault.kind].scope, fault.target
        if scope == "segment or cabinet":
            scope = "segment" if target in self._lighting.contactors else "cabinet"
        if scope == "cabinet":
            self._set_cabinet(self._doors().get(target, target))
        elif scope == "segment":
            self._set_segment(target)
        elif scope == "lamp":
            amount = float(fault.arguments[1]) if active and len(fault.arguments) > 1 else 0.0
            self._lighting.lamps[target].fail(Failure(fault.arguments[0]) if active else Failure.NONE, amount)
        elif scope == "photocell":
            self._lighting.photocells[target].stare = Stare(fault.arguments[0]) if active else Stare.NO
        elif scope == "presence sensor":
            self._pass_by(fault, active=active)
        else:
            self._heating.apply(fault, active=active)

    def _set_cabinet(self, device: str) -> None:
        """A cabinet answers to its own id and to its device's."""
        names = {device, *(name for name, of in self._doors().items() if of == device)}
        broken: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for fault in self._table.active:
            if fault.target in names:
                broken[fault.kind].append(fault.arguments)
        cabinet = self._lighting.cabinets[device]
        cabinet.door_open, cabinet.leakage = "door" in broken, "leakage" in broken
        cabinet.supply_lost = "supply-loss" in broken
        cabinet.hand = _position(broken["selector"])
        cabinet.imposed_v = {int(float(phase)): float(volts) for phase, volts in broken["voltage"]}
        cabinet.imposed_v |= {int(float(phase)): 0.0 for (phase,) in broken["phase-loss"]}
        cabinet.tapped_w = {int(float(phase)): float(watts) for phase, watts in broken["load"]}

    def _set_segment(self, segment: str) -> None:
        broken = {fault.kind: fault.arguments for fault in self._table.active if fault.target == segment}
        contactor, circuit = self._lighting.contactors[segment], self._lighting.circuits[segment]
        contactor.stuck = Stuck(broken["stuck"][0]) if "stuck" in broken else Stuck.NO
        contactor.tripped = "breaker" in broken
        contactor.hand = _position([broken["selector"]] if "selector" in broken else [])
        contactor.loop_open = "loop" in broken or "cut" in broken
        whole = len(circuit) - (int(float(broken["cut"][0])) if "cut" in broken else 0)
        for place, lamp in enumerate(circuit):
            lamp.cut_off = place >= whole

    def _pass_by(self, fault: Fault, *, active: bool) -> None:
        sensor = self._lighting.presences[fault.target]
        sensor.somebody = active and fault.arguments == ("detect",)
        sensor.traffic_per_h = float(fault.arguments[1]) if active and len(fault.arguments) > 1 else 0.0


def _position(selectors: list[tuple[str, ...]]) -> bool | None:
    """Where a hand has put a selector last; None: automatic."""
    return selectors[-1] == ("on",) if selectors else None
