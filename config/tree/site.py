"""The whole tree, part by part; every part is looked at even where an earlier one is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from config.model import MqttFile, OverridesFile, SiteHead, TimingFile
from config.settings import Settings, read_secret
from config.site import Device, Mqtt, OverridePolicy, Photocell, PresenceSensor, Site, Timing
from config.tree.calendars import build_calendars
from config.tree.devices import Wired, build_buses, build_devices, with_points
from config.tree.draft import Draft
from config.tree.groups import build_groups
from config.tree.heating import Heating, build_heating, build_meters, build_occupancies, build_signals
from config.tree.inventory import Inventory, build_inventory
from config.tree.legal import build_legal
from config.tree.plans import build_plans, build_programs
from config.tree.sensors import build_photocells, build_presence_sensors, used
from schedules.sun import Place

_SOMEWHERE = Place(0.0, 0.0, ZoneInfo("UTC"))
"""Stands in where the site's own place is wrong, so that everything else is still looked at."""
_LONGEST_KEEPALIVE_S = 65_535


def build_site(draft: Draft, settings: Settings) -> Site | None:
    """The tree; None when any error was found, by this or by an earlier stage."""
    head = _head(draft)
    place = Place(head.latitude, head.longitude, ZoneInfo(head.timezone)) if head else _SOMEWHERE
    mqtt, timing = _mqtt(draft, settings), _timing(draft, draft.written.timing)
    overrides = _overrides(draft, draft.written.overrides)
    buses = build_buses(draft)
    wired = build_devices(draft, buses)
    calendars = build_calendars(draft, place.zone)
    occupancies = build_occupancies(draft, calendars, place.zone)
    inventory = build_inventory(draft, wired)
    cells, presence = build_photocells(draft, wired), build_presence_sensors(draft, wired, inventory)
    plans = build_plans(draft, build_programs(draft, occupancies, cells), calendars, place)
    groups = build_groups(draft, plans, inventory)
    groups, derogations = build_legal(draft, groups, occupancies, calendars)
    signals = build_signals(draft)
    heating = build_heating(draft, wired, occupancies, signals, country=head.country if head else "")
    meters = build_meters(draft, wired, inventory, heating)
    if head is None or draft.findings.failed:
        return None
    return Site(
        id=head.id, name=head.name or head.id, place=place, country=head.country,
        directory=draft.files.directory, config_hash=draft.files.hash,
        mqtt=mqtt, timing=timing, overrides=overrides,
        buses=buses, devices=_devices(wired, inventory, heating, cells, presence), calendars=calendars,
        plans=plans, groups=groups,
        lamps=inventory.lamps, segments=inventory.segments, cabinets=inventory.cabinets,
        meters=meters, buildings=heating.buildings, zones=heating.zones,
        photocells=cells, presence_sensors=presence, derogations=derogations,
        signals=signals, occupancies=occupancies,
    )  # fmt: skip


def _head(draft: Draft) -> SiteHead | None:
    raw = draft.document.value
    if draft.written.site is None and (not isinstance(raw, dict) or "site" not in raw):
        draft.error(("site",), "missing; write site: {id, name, latitude, longitude, timezone, country}")
    return draft.written.site


def _devices(
    wired: Mapping[str, Wired],
    inventory: Inventory,
    heating: Heating,
    cells: Mapping[str, Photocell],
    presence: Mapping[str, PresenceSensor],
) -> dict[str, Device]:
    """The devices with the points that this site uses."""
    return {
        name: with_points(
            device,
            {
                **inventory.used(name),
                "zone": heating.used(name),
                "photocell": used(cells.values(), name),
                "presence": used(presence.values(), name) | heating.detectors(name),
            },
        )
        for name, device in wired.items()
    }


def _mqtt(draft: Draft, settings: Settings) -> Mqtt:
    """The broker: the environment wins over the file."""
    written, ours = draft.written.mqtt, settings.mqtt
    return Mqtt(
        url=ours.url or written.url,
        base=written.base,
        username=ours.username or written.username,
        password=_password(draft, settings, written),
        ca_file=_existing(draft, written, "ca_file"),
        cert_file=_existing(draft, written, "cert_file"),
        key_file=_existing(draft, written, "key_file"),
        protocol=written.protocol,
        keepalive_s=_keepalive_s(draft, written),
        home_assistant=written.home_assistant,
    )


def _password(draft: Draft, settings: Settings, written: MqttFile) -> str | None:
    if settings.mqtt.password:
        return settings.mqtt.password.get_secret_value()
    path = settings.mqtt.password_file or written.password_file
    if path is None:
        return None
    return read_secret(draft.files.directory / path, draft.spot(written.where("password_file")), draft.findings)


def _existing(draft: Draft, written: MqttFile, key: str) -> Path | None:
    """A certificate's file, below the site's directory or absolute."""
    path: Path | None = getattr(written, key)
    if path is None:
        return None
    full = draft.files.directory / path
    if not full.is_file():
        draft.error(written.where(key), f"there is no file {full}")
    return full


def _keepalive_s(draft: Draft, written: MqttFile) -> int:
    if written.keepalive is None:
        return Mqtt(url=written.url).keepalive_s
    keepalive_s = int(written.keepalive.total_seconds())
    if not 1 <= keepalive_s <= _LONGEST_KEEPALIVE_S:
        draft.error(written.where("keepalive"), "must lie between 1s and 18h")
    return keepalive_s


def _timing(draft: Draft, written: TimingFile) -> Timing:
    """The defaults, and what the site says otherwise."""
    chosen: dict[str, float] = {}
    for name in TimingFile.model_fields:
        span: timedelta | None = getattr(written, name)
        if span is None:
            continue
        chosen[f"{name}_s"] = span.total_seconds()
        if span <= timedelta():
            draft.error(written.where(name), "must be more than 0s")
    return Timing(**chosen)


def _overrides(draft: Draft, written: OverridesFile) -> OverridePolicy:
    default = OverridePolicy().default if written.default is None else written.default
    cap = OverridePolicy().cap if written.cap is None else written.cap
    if default <= timedelta():
        draft.error(written.where("default"), "must be more than 0s")
    if cap < default:
        draft.error(written.where("cap"), "must not be shorter than default")
    return OverridePolicy(default, cap)
