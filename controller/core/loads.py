"""What a cabinet's meter can see of its lamps: each metered phase with the lamps and contactors that hang on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from config.site import Cabinet, Lamp, Site

PHASES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class PhaseLoad:
    """One phase of a cabinet's meter, or all of them together (``phase`` None) where nobody knows who hangs where."""

    cabinet: str
    phase: int | None
    device: str
    power: str
    volts: tuple[str, ...]
    lamps: tuple[Lamp, ...]
    inventory: str
    """Changes with the lamps: what was learnt of others says nothing."""

    @property
    def key(self) -> str:
        """``cabinet/<id>/l1``, or ``cabinet/<id>/total``."""
        return f"cabinet/{self.cabinet}/{self.suffix or 'total'}"

    @property
    def suffix(self) -> str:
        """``l1`` to ``l3``, empty for all of them."""
        return "" if self.phase is None else f"l{self.phase}"

    @property
    def segments(self) -> tuple[str, ...]:
        """The contactors that feed its lamps, sorted."""
        return tuple(sorted({lamp.segment for lamp in self.lamps if lamp.segment is not None}))

    @property
    def only_segment(self) -> str | None:
        """The one contactor that feeds all its lamps."""
        found = {lamp.segment for lamp in self.lamps}
        return found.pop() if len(found) == 1 else None


def cabinet_of(site: Site, lamp: Lamp) -> str | None:
    """The cabinet that feeds a lamp: its contactor's, else the one it is entered at."""
    return site.segments[lamp.segment].cabinet if lamp.segment is not None else lamp.cabinet


def phase_of(site: Site, lamp: Lamp) -> int | None:
    """The phase that a lamp hangs on, as far as the inventory says."""
    return lamp.phase or (site.segments[lamp.segment].phase if lamp.segment is not None else None)


def mains_device(site: Site, cabinet: Cabinet) -> str | None:
    """The device that meters a cabinet: its own, else that of a meter which names it."""
    candidates = [cabinet.device, *(meter.device for meter in site.meters.values() if meter.cabinet == cabinet.id)]
    return next((device for device in candidates if _meters(site, device)), None)


def phase_loads(site: Site) -> dict[str, tuple[PhaseLoad, ...]]:
    """The metered phases that have lamps, by cabinet."""
    hung: dict[str, list[Lamp]] = {}
    for lamp in site.lamps.values():
        cabinet = cabinet_of(site, lamp)
        if cabinet is not None and cabinet in site.cabinets:
            hung.setdefault(cabinet, []).append(lamp)
    return {cabinet: tuple(_of_cabinet(site, site.cabinets[cabinet], lamps)) for cabinet, lamps in hung.items()}


def hanging_devices(site: Site) -> dict[str, tuple[str, ...]]:
    """The other devices that a cabinet's mains feed, by cabinet: the gateways of its lamps, its meters."""
    pairs = [(cabinet_of(site, lamp), lamp.device) for lamp in site.lamps.values() if lamp.has_node]
    pairs += [(meter.cabinet, meter.device) for meter in site.meters.values()]
    found: dict[str, dict[str, None]] = {}
    for cabinet, device in pairs:
        if cabinet in site.cabinets and cabinet is not None and site.cabinets[cabinet].device != device:
            found.setdefault(cabinet, {})[device] = None
    return {cabinet: tuple(devices) for cabinet, devices in found.items()}


def _of_cabinet(site: Site, cabinet: Cabinet, lamps: list[Lamp]) -> Iterator[PhaseLoad]:
    device = mains_device(site, cabinet)
    if device is None:
        return
    points = set(site.devices[device].points)
    found = {phase_of(site, lamp) for lamp in lamps}
    if None not in found and all(f"meter.power-l{phase}" in points for phase in found):
        for phase in sorted(each for each in found if each is not None):
            on_it = [lamp for lamp in lamps if phase_of(site, lamp) == phase]
            yield _load(cabinet, phase, device, f"meter.power-l{phase}", (f"meter.voltage-l{phase}",), on_it)
    elif "meter.power" in points:
        volts = tuple(f"meter.voltage-l{phase}" for phase in PHASES if f"meter.voltage-l{phase}" in points)
        yield _load(cabinet, None, device, "meter.power", volts, lamps)


def _load(
    cabinet: Cabinet, phase: int | None, device: str, power: str, volts: tuple[str, ...], lamps: list[Lamp]
) -> PhaseLoad:
    inventory = f"{len(lamps)}x{sum(lamp.type.power_w for lamp in lamps):.0f}"
    return PhaseLoad(cabinet.id, phase, device, power, volts, tuple(lamps), inventory)


def _meters(site: Site, device: str) -> bool:
    return any(_is_mains(point) for point in _points(site, device))


def _points(site: Site, device: str) -> Iterable[str]:
    return site.devices[device].points if device in site.devices else ()


def _is_mains(point: str) -> bool:
    return point.startswith(("meter.power", "meter.voltage")) and not point.startswith("meter.power-factor")
