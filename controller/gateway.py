"""The gateway's own state: version, configuration, clock, buses, queues, and the night so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path

from controller.clock import Clock
from controller.core import accounts
from controller.core.accounts import NightAccount
from controller.core.report import Payload
from controller.core.stack import rfc3339
from controller.core.state import Draft, State
from controller.core.wiring import Wiring

_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")


def clock_quality(clock: Clock) -> str:
    """``simulated``, ``synchronised`` (by systemd-timesyncd) or ``unknown``."""
    if clock.simulated:
        return "simulated"
    return "synchronised" if _SYNCHRONISED.exists() else "unknown"


def gateway_state(wiring: Wiring, state: State, now: datetime, clock: Clock) -> Payload:
    """What the core and the clock know; the shell adds its queues."""
    site = wiring.site
    online = [device for device in site.devices if (image := state.image.get(device)) is not None and image.online]
    by_bus = Counter(device.bus for device in site.devices.values())
    online_by_bus = Counter(site.devices[device].bus for device in online)
    raised = [alarm for alarm in state.alarms.values() if alarm.raised is not None]
    return {
        "ts": rfc3339(now),
        "version": version("veilleuse"),
        "site_name": site.name,
        "config_hash": site.config_hash,
        "clock": clock_quality(clock),
        "clock_speed": clock.speed,
        "devices": len(site.devices),
        "devices_online": len(online),
        "buses": [f"{bus} {online_by_bus[bus]}/{count}" for bus, count in by_bus.items()],
        "calendars": [f"{name} {last}" for name, last in _reach(wiring)],
        "overrides": len(state.overrides),
        "alarms": sum(alarm.suppressed_by is None for alarm in raised),
        "alarms_suppressed": sum(alarm.suppressed_by is not None for alarm in raised),
        **_night(wiring, state, now),
    }


def _reach(wiring: Wiring) -> Iterator[tuple[str, date]]:
    """Until when each calendar knows its days."""
    for calendar in wiring.site.calendars.values():
        if calendar.valid_until is not None:
            yield calendar.id, calendar.valid_until


def _night(wiring: Wiring, state: State, now: datetime) -> Payload:
    draft = Draft(state, now)
    found = (accounts.night_account(wiring, draft, group) for group in wiring.site.groups.values())
    known = [account for account in found if account is not None]
    if not known:
        return {}
    return {f"night_{name}" if name != "night" else name: v for name, v in accounts.figures(_total(known)).items()}


def _total(known: list[NightAccount]) -> NightAccount:
    lamps = sum(account.lamps for account in known)
    return NightAccount(
        night=known[0].night,
        lamps=lamps,
        energy_kwh=sum(account.energy_kwh for account in known),
        lit_h=sum(account.lit_h * account.lamps for account in known) / lamps,
        dark_h=sum(account.dark_h * account.lamps for account in known) / lamps,
        baseline_kwh=sum(account.baseline_kwh for account in known),
    )
