"""The points of the heating whose priority arrays are looked at for other hands, by device and by whom they concern."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from config.site import Device, Site
from drivers.profile import BacnetPoint

_OF_A_ZONE = ("setpoint", "mode", "heating")
_OF_A_PLANT = ("boiler.", "hot-water.")


class Watched:
    """``by_device``: the entity (``zone/<id>``, ``building/<id>``) of each point; ``by_entity`` the other way round."""

    def __init__(self, site: Site) -> None:
        self.by_device: Mapping[str, dict[str, str]] = defaultdict(dict)
        self.by_entity: Mapping[str, list[tuple[str, str]]] = defaultdict(list)
        for entity, device, point in _found(site):
            self.by_device[device][point] = entity
            self.by_entity[entity].append((device, point))

    def points(self, device: str) -> Mapping[str, str]:
        """The watched points of a device with their entities."""
        return self.by_device.get(device, {})

    def places(self, entity: str) -> list[tuple[str, str]]:
        """Device and point of everything that is watched of an entity."""
        return self.by_entity.get(entity, [])


def _found(site: Site) -> Iterator[tuple[str, str, str]]:
    for zone in site.zones.values():
        device = site.devices.get(zone.device)
        for name in _OF_A_ZONE if device is not None else ():
            point = f"zone.{zone.number}.{name}"
            if device is not None and _has_array(device, point):
                yield f"zone/{zone.id}", zone.device, point
    for building in site.buildings.values():
        device = site.devices.get(building.device)
        for point in device.points if device is not None else ():
            if device is not None and point.startswith(_OF_A_PLANT) and _has_array(device, point):
                yield f"building/{building.id}", building.device, point


def _has_array(device: Device, point: str) -> bool:
    spec = device.profile.points.get(point)
    if point not in device.points or not isinstance(spec, BacnetPoint):
        return False
    return spec.commandable and spec.property == "present-value"
