"""Energy and burning hours, and the account of the night: what was used, lit and dark against lit from dusk to dawn.

Counters are absolute values by name, ``lamp/<id>/energy_kwh``; ``...@device`` is the device's own counter when it
was last seen, so that nothing is lost over a restart; ``...@noon`` is the value at which the night began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from config.site import Group, Lamp
from controller.core import tallies
from controller.core.image import DeviceImage
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import sun
from schedules.moments import night_of, noon
from schedules.sun import Place, Polar

_PLAUSIBLE = {"energy_kwh": 1_000.0, "burning_h": 10_000.0}
_SINCE = "site/night@since"


@dataclass(frozen=True, slots=True)
class NightAccount:
    """One group (or all) over one night so far; hours are the mean over its lamps."""

    night: date
    lamps: int
    energy_kwh: float
    lit_h: float
    dark_h: float
    baseline_kwh: float

    @property
    def saved_kwh(self) -> float:
        """Against the same lamps lit at full power from sunset to sunrise."""
        return self.baseline_kwh - self.energy_kwh


def count_device(wiring: Wiring, draft: Draft, device_id: str, before: DeviceImage, image: DeviceImage) -> None:
    """Take up the energy and burning hours that passed at one device since its last answer."""
    for lamp_id in wiring.lamps_of_device.get(device_id, ()):
        lamp = wiring.site.lamps[lamp_id]
        _follow(draft, f"lamp/{lamp_id}/energy_kwh", image.value(f"lamp.{lamp.address}.energy"), "energy_kwh")
        _follow(draft, f"lamp/{lamp_id}/burning_h", image.value(f"lamp.{lamp.address}.burning"), "burning_h")
        _integrate(wiring, draft, lamp, before, image)


def begin(wiring: Wiring, draft: Draft) -> None:
    """Enter the accounts' night at the start of the core and be due at its end."""
    night = night_of(draft.now, wiring.site.place.zone)
    since = draft.counters.get(_SINCE)
    known = since is not None and night_of(datetime.fromtimestamp(since, UTC), wiring.site.place.zone) == night
    draft.night = night
    if not known:
        _open_night(wiring, draft)
    draft.schedule("night", noon(night + timedelta(days=1), wiring.site.place.zone))


def night_due(wiring: Wiring, draft: Draft) -> None:
    """Noon: report the night that ended and open the next."""
    for group in wiring.site.groups.values():
        account = night_account(wiring, draft, group)
        facts = tallies.of_group(draft, group) | (figures(account) if account is not None else {})
        if facts:
            draft.event("night", f"group/{group.id}", **facts)
    tallies.tell_presences(wiring, draft)
    draft.night = night_of(draft.now, wiring.site.place.zone)
    _open_night(wiring, draft)
    draft.schedule("night", noon(draft.night + timedelta(days=1), wiring.site.place.zone))


def night_account(wiring: Wiring, draft: Draft, group: Group) -> NightAccount | None:
    """The account of one group for the night in progress; None without lamps or before the first night."""
    if draft.night is None or not group.lamps:
        return None
    lamps = [wiring.site.lamps[lamp] for lamp in group.lamps]
    since = datetime.fromtimestamp(draft.counters.get(_SINCE) or draft.now.timestamp(), UTC)
    night_h = _night_hours(draft.night, wiring.site.place, since, draft.now)
    lit_h = sum(_gained(draft, lamp, "burning_h") for lamp in lamps) / len(lamps)
    return NightAccount(
        night=draft.night,
        lamps=len(lamps),
        energy_kwh=sum(_gained(draft, lamp, "energy_kwh") for lamp in lamps),
        lit_h=lit_h,
        dark_h=max(0.0, night_h - lit_h),
        baseline_kwh=sum(lamp.type.power_w for lamp in lamps) * night_h / 1000.0,
    )


def figures(account: NightAccount) -> dict[str, object]:
    """An account as the fields of a message."""
    return {
        "night": account.night.isoformat(),
        "lamps": account.lamps,
        "energy_kwh": round(account.energy_kwh, 3),
        "lit_h": round(account.lit_h, 2),
        "dark_h": round(account.dark_h, 2),
        "baseline_kwh": round(account.baseline_kwh, 3),
        "saved_kwh": round(account.saved_kwh, 3),
    }


def _follow(draft: Draft, name: str, device_value: float | None, quantity: str) -> None:
    if device_value is None:
        return
    last = draft.counters.get(f"{name}@device")
    if last == device_value:
        return
    if last is None:
        draft.rearrange.add(name.rpartition("/")[0])  # what a lamp is told may follow its burning hours
    gained = 0.0 if last is None else device_value - last
    _add(draft, name, gained if 0.0 < gained < _PLAUSIBLE[quantity] else 0.0)
    _put(draft, f"{name}@device", device_value)


def _integrate(wiring: Wiring, draft: Draft, lamp: Lamp, before: DeviceImage, image: DeviceImage) -> None:
    """Where the node keeps no counter of its own: power and light over the time between two readings."""
    stem = f"lamp.{lamp.address}"
    now, last = image.readings.get(f"{stem}.level"), before.readings.get(f"{stem}.level")
    if now is None or last is None or now.at <= last.at:
        return
    hours = (now.at - last.at).total_seconds() / 3600.0
    if hours * 3600.0 > wiring.stale_after(lamp.device, f"{stem}.level"):
        return
    power = before.readings.get(f"{stem}.power")
    if power is not None and not wiring.has(lamp.device, f"{stem}.energy"):
        _add(draft, f"lamp/{lamp.id}/energy_kwh", power.value * hours / 1000.0)
        draft.changed.add(f"lamp/{lamp.id}")
    if last.value > 0.0 and not wiring.has(lamp.device, f"{stem}.burning"):
        _add(draft, f"lamp/{lamp.id}/burning_h", hours)
        draft.changed.add(f"lamp/{lamp.id}")


def _add(draft: Draft, name: str, amount: float) -> None:
    _put(draft, name, (draft.counters.get(name) or 0.0) + amount)


def _put(draft: Draft, name: str, value: float) -> None:
    draft.counters[name] = value
    draft.journal_counters[name] = value


def _gained(draft: Draft, lamp: Lamp, quantity: str) -> float:
    name = f"lamp/{lamp.id}/{quantity}"
    return (draft.counters.get(name) or 0.0) - (draft.counters.get(f"{name}@noon") or 0.0)


def _open_night(wiring: Wiring, draft: Draft) -> None:
    _put(draft, _SINCE, draft.now.timestamp())
    for lamp_id in wiring.site.lamps:
        for quantity in _PLAUSIBLE:
            name = f"lamp/{lamp_id}/{quantity}"
            _put(draft, f"{name}@noon", draft.counters.get(name) or 0.0)
    tallies.open_night(wiring, draft)


def _night_hours(night: date, place: Place, since: datetime, until: datetime) -> float:
    sunset = sun.evening(night, place, sun.SUNRISE_DEG)
    sunrise = sun.morning(night, place, sun.SUNRISE_DEG)
    if sunset is Polar.ALWAYS_UP or sunrise is Polar.ALWAYS_UP:
        return 0.0
    start = since if isinstance(sunset, Polar) else max(sunset, since)
    end = until if isinstance(sunrise, Polar) else min(sunrise, until)
    return max(0.0, (end - start).total_seconds() / 3600.0)
