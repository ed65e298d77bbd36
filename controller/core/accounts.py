"""The account of the night: what was used, lit and dark against lit from dusk to dawn.

The counters are those of controller.core.counting; ``...@noon`` in the journal is the value at which the night began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from config.site import Group
from controller.core.state import Draft
from controller.core.tallies import put
from controller.core.wiring import Wiring
from schedules import sun
from schedules.moments import night_of
from schedules.sun import Place, Polar

_SINCE = "site/night@since"
AT_NOON = "@noon"


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


def begin(wiring: Wiring, draft: Draft) -> bool:
    """Enter the accounts' night at the start of the core; whether it is the one that they are in already."""
    night = night_of(draft.now, wiring.site.place.zone)
    since = draft.counters.get(_SINCE)
    known = since is not None and night_of(datetime.fromtimestamp(since, UTC), wiring.site.place.zone) == night
    if not known:
        open_night(draft)
    draft.night = night
    return known


def open_night(draft: Draft) -> None:
    """What passed so far belongs to the night before."""
    put(draft, _SINCE, draft.now.timestamp())
    for name in list(draft.counters):
        if "@" not in name:
            value = draft.counters.get(name) or 0.0
            draft.noon[name] = value
            draft.journal_counters[f"{name}{AT_NOON}"] = value


def night_account(wiring: Wiring, draft: Draft, group: Group) -> NightAccount | None:
    """The account of one group for the night in progress; None without lamps or before the first night."""
    if draft.night is None or not group.lamps:
        return None
    lamps = [wiring.site.lamps[lamp] for lamp in group.lamps]
    since = datetime.fromtimestamp(draft.counters.get(_SINCE) or draft.now.timestamp(), UTC)
    night_h = night_hours(draft.night, wiring.site.place, since, draft.now)
    lit_h = sum(gained(draft, f"lamp/{lamp.id}/burning_h") for lamp in lamps) / len(lamps)
    return NightAccount(
        night=draft.night,
        lamps=len(lamps),
        energy_kwh=sum(gained(draft, f"lamp/{lamp.id}/energy_kwh") for lamp in lamps),
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


def gained(draft: Draft, name: str) -> float:
    """What a counter gained in this night."""
    return max(0.0, (draft.counters.get(name) or 0.0) - (draft.noon.get(name) or 0.0))


def night_hours(night: date, place: Place, since: datetime, until: datetime) -> float:
    """Hours from sunset to sunrise of that night within [since, until)."""
    sunset = sun.evening(night, place, sun.SUNRISE_DEG)
    sunrise = sun.morning(night, place, sun.SUNRISE_DEG)
    if sunset is Polar.ALWAYS_UP or sunrise is Polar.ALWAYS_UP:
        return 0.0
    start = since if isinstance(sunset, Polar) else max(sunset, since)
    end = until if isinstance(sunrise, Polar) else min(sunrise, until)
    return max(0.0, (end - start).total_seconds() / 3600.0)
