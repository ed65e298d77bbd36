"""What is broken in rooms, at heat generators and in BACnet objects, brought to what the table of faults says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from config.site import Site
from sim.building import Building, Zone
from sim.fault_kinds import BadRequest, number
from sim.faults import Fault, FaultTable
from sim.objects import BacnetObject, Spoilt
from sim.room_sensor import RoomSensor

HAND_PRIORITY = 8
OF_OBJECTS = {"nan": Spoilt.NAN, "fahrenheit": Spoilt.FAHRENHEIT, "write-denied": Spoilt.LOCKED}
"""Kinds that spoil objects: ``fault ZONE nan``, ``fault DEVICE nan OBJECT``, all that it fits without an OBJECT."""
_CELSIUS = "degrees-celsius"


class HeatingSabotage:
    """Breaks and repairs the heating half of a town."""

    def __init__(
        self,
        site: Site,
        table: FaultTable,
        buildings: Mapping[str, Building],
        objects: Mapping[str, list[BacnetObject]],
    ) -> None:
        self._site, self._table, self._buildings, self._objects = site, table, buildings, objects

    def targets(self, scope: str) -> Collection[str] | None:
        """The ids that faults of a scope may name; None: not a scope of the heating."""
        zones = [zone.id for zone in self._site.zones.values() if zone.device in self._objects]
        if scope == "zone":
            return [zone for zone in zones if self._room(zone) is not None]
        if scope == "boiler":
            return [name for name, building in self._buildings.items() if building.boiler is not None]
        return [*self._objects, *zones] if scope == "object" else None

    def check(self, fault: Fault) -> None:
        """Raises BadRequest where a fault does not fit what it names."""
        if fault.kind == "hand":
            self._check_hand(fault)
        elif fault.kind in OF_OBJECTS and not any(True for _ in self._spoilable(fault)):
            raise BadRequest(f"{fault.target} has no object that {fault.kind} fits")

    def apply(self, fault: Fault, *, active: bool) -> None:
        """Bring what the fault concerns to what the table says; what is on the wire looks there by itself."""
        if fault.kind == "hand":
            self._hand(fault, active=active)
        elif fault.kind in OF_OBJECTS:
            how = frozenset({OF_OBJECTS[fault.kind]})
            for found in self._spoilable(fault):
                found.spoilt = found.spoilt | how if active else found.spoilt - how
        elif fault.kind in ("window", "valve", "sensor"):
            self._break_room(fault, active=active)
        elif fault.kind in ("boiler", "pump"):
            boiler = self._buildings[fault.target].boiler
            if boiler is not None and fault.kind == "boiler":
                boiler.locked_out = active
            elif boiler is not None:
                boiler.pump_seized = active

    def _room(self, zone_id: str) -> Zone | None:
        zone = self._site.zones.get(zone_id)
        building = None if zone is None else self._buildings.get(zone.device)
        return None if zone is None or building is None else building.zones.get(zone.number)

    def _break_room(self, fault: Fault, *, active: bool) -> None:
        room = self._room(fault.target)
        if room is None:
            return
        if fault.kind == "window":
            room.window_open = active
        elif fault.kind == "valve":
            room.stuck_pct = float(fault.arguments[1]) if active else None
        else:
            room.sensor = _sensor(fault, room.temperature_c) if active else RoomSensor()

    def _check_hand(self, fault: Fault) -> None:
        found, value = self._object(fault, 1), number(fault.arguments[-1])
        if not found.writable:
            raise BadRequest(f"{found.key} cannot be written")
        if not (found.minimum is None or value >= found.minimum) or not (
            found.maximum is None or value <= found.maximum
        ):
            raise BadRequest(f"{found.key} takes {found.minimum} to {found.maximum}")

    def _hand(self, fault: Fault, *, active: bool) -> None:
        found = self._object(fault, 1)
        if active:
            found.command(HAND_PRIORITY, float(fault.arguments[-1]))
        elif found.commandable:
            found.command(HAND_PRIORITY, None)

    def _object(self, fault: Fault, values: int) -> BacnetObject:
        """A zone's setpoint, or the object that was named before ``values`` numbers. Raises BadRequest."""
        device, key = fault.target, fault.arguments[0] if fault.arguments else ""
        if fault.target in self._site.zones:
            if len(fault.arguments) != values:
                raise BadRequest(f"usage: fault ZONE {fault.kind}{' VALUE' * values}")
            zone = self._site.zones[fault.target]
            device, key = zone.device, f"analog-value,{zone.number}"
        elif len(fault.arguments) != values + 1:
            raise BadRequest(f"usage: fault DEVICE {fault.kind} OBJECT{' VALUE' * values}, e.g. analog-value,1")
        return self._named(device, key)

    def _named(self, device: str, key: str) -> BacnetObject:
        for candidate in self._objects[device]:
            if candidate.key == key:
                return candidate
        raise BadRequest(f"{device} has no object {key!r}")

    def _spoilable(self, fault: Fault) -> Iterable[BacnetObject]:
        """Of a zone its temperature (and its setpoint where it has a unit or is written), of a device what is named."""
        if fault.target not in self._site.zones:
            if fault.arguments:
                return [self._named(fault.target, fault.arguments[0])]
            return [each for each in self._objects[fault.target] if _fits(each, fault.kind)]
        if fault.arguments:
            raise BadRequest(f"usage: fault ZONE {fault.kind}")
        return list(self._of_zone(fault))

    def _of_zone(self, fault: Fault) -> Iterator[BacnetObject]:
        zone = self._site.zones[fault.target]
        if fault.kind != "write-denied":
            yield self._named(zone.device, f"analog-input,{zone.number}")
        if fault.kind != "nan":
            yield self._named(zone.device, f"analog-value,{zone.number}")


def _fits(candidate: BacnetObject, kind: str) -> bool:
    if kind == "write-denied":
        return candidate.writable
    return candidate.units == _CELSIUS


def _sensor(fault: Fault, temperature_c: float) -> RoomSensor:
    how, *numbers = fault.arguments
    if how == "frozen":
        return RoomSensor(frozen_c=temperature_c)
    amount_k = float(numbers[0])
    return RoomSensor(drift_k_h=amount_k) if how == "drift" else RoomSensor(jump_k=amount_k)
