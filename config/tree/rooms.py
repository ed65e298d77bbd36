"""The parts of zones and plants that bound a control function: what is not written takes the default of the tree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from config.heating import (
    AbsenceFile,
    BoostFile,
    CurveFile,
    DelegateFile,
    ExerciseFile,
    HeatPumpFile,
    HotWaterFile,
    PlantFile,
    SheddingFile,
    WindowFile,
    ZoneFile,
)
from config.site import (
    Absence,
    BoostPolicy,
    Delegation,
    Exercise,
    Generator,
    HeatingCurve,
    HeatPump,
    HotWater,
    Plant,
    Shedding,
    Signal,
    Steering,
    WindowRule,
)
from config.tree.devices import Wired
from config.tree.draft import Draft
from drivers.profile import BacnetPoint

_LEVELS = (1, 2, 3)


def window(written: WindowFile | str | None) -> WindowRule | None:
    """The rule of an open window; None where it is off."""
    if isinstance(written, str):
        return None
    rule = WindowRule()
    if written is None:
        return rule
    return WindowRule(written.slope, _or(written.lasting, rule.lasting))


def absence(draft: Draft, devices: Mapping[str, Wired], written: AbsenceFile | None, of_zone: str) -> Absence | None:
    """The detector of a zone, which must exist."""
    if written is None:
        return None
    name = written.device or of_zone
    device = draft.find("device", name, devices, written.where("device")) if written.device else devices.get(name)
    if device is not None and not device.has(f"presence.{written.number}.detected"):
        draft.error(written.where("number"), f"profile {device.profile.id} has no presence.{written.number}.detected")
    return Absence(name, written.number, _or(written.after, timedelta(minutes=30)), written.reduce)


def boost(written: BoostFile | None) -> BoostPolicy | None:
    """Warmth on demand."""
    if written is None:
        return None
    default = BoostPolicy()
    return BoostPolicy(_or(written.lasting, default.lasting), _or(written.cap, default.cap), written.maximum)


def steering(
    draft: Draft, device: Wired | None, zone: ZoneFile, of_building: Steering, number: int
) -> tuple[Steering, Delegation | None]:
    """Who holds the plan of a zone, and in which objects."""
    wanted = zone.steering or (of_building if zone.delegate is None else Steering.DELEGATE)
    if wanted is Steering.SUPERVISE:
        if zone.delegate is not None:
            draft.error(zone.where("delegate"), "steering is supervise: leave one of the two out")
        return wanted, None
    if zone.delegate is None:
        draft.error(zone.where("id"), "steering is delegate: name its objects: delegate: {schedule: schedule,1}")
        return wanted, None
    if device is not None:
        _check_objects(draft, device, zone, zone.delegate, number)
    return wanted, _delegation(zone.delegate)


def _check_objects(draft: Draft, device: Wired, zone: ZoneFile, written: DelegateFile, number: int) -> None:
    if device.profile.protocol != "bacnet":
        draft.error(zone.where("delegate"), f"profile {device.profile.id} speaks {device.profile.protocol}, not BACnet")
        return
    point = device.profile.points.get(f"zone.{number}.setpoint")
    if isinstance(point, BacnetPoint) and point.writable and not point.commandable:
        draft.error(
            zone.where("delegate"),
            f"zone.{number}.setpoint has no priority array: an override could not be taken back from the schedule",
        )
    for key, name in (("schedule", written.schedule), ("calendar", written.calendar)):
        if name is not None:
            where = written.where(key)
            draft.unique(f"device {device.id} object", name, draft.spot(where), draft.document.label(where))


def _delegation(written: DelegateFile) -> Delegation:
    default = Delegation(written.schedule)
    return Delegation(
        written.schedule, written.calendar, written.values == "mode", written.entries_per_day, written.exceptions,
        _or(written.check, default.check), _or(written.lead, default.lead), written.drift,
    )  # fmt: skip


def plant(draft: Draft, written: PlantFile | None, device: Wired | None) -> Plant | None:
    """The heat generator and how it is led; the building's device has the points for that."""
    if written is None:
        return None
    if device is not None:
        _led_by(draft, written, device)
    if written.heat_pump is not None and written.generator is not Generator.HEAT_PUMP:
        draft.error(
            written.where("heat_pump"),
            f"limits of a compressor, but generator is {written.generator.value}: write generator: heat-pump, or leave "
            "heat_pump out",
            at_key=True,
        )
    default = Plant()
    return Plant(
        generator=written.generator,
        curve=None if written.curve is None else _curve(draft, written.curve),
        summer_above_c=written.summer_above,
        frost_outdoor_c=written.frost_outdoor,
        exercise=None if written.exercise is None else _exercise(written.exercise),
        heat_pump=None if written.heat_pump is None else _heat_pump(written.heat_pump),
        hot_water=None if written.hot_water is None else _hot_water(written.hot_water),
        start_within=_or(written.start_within, default.start_within),
    )


_NEEDS = {
    "curve": ("boiler.supply-setpoint", "outdoor.temperature"),
    "summer_above": ("outdoor.temperature",),
    "exercise": ("boiler.pump",),
    "hot_water": ("hot-water.storage-temperature",),
}
"""The points without which a part of ``plant`` can do nothing."""


def _led_by(draft: Draft, written: PlantFile, device: Wired) -> None:
    for key, points in _NEEDS.items():
        missing = [point for point in points if not device.has(point)]
        if getattr(written, key) is not None and missing:
            draft.error(written.where(key), f"profile {device.profile.id} has no {missing[0]}")


def shedding(draft: Draft, written: SheddingFile | None, signals: Mapping[str, Signal]) -> Shedding | None:
    """What a building gives up, and for which signal."""
    if written is None:
        return None
    draft.find("signal", written.signal, signals, written.where("signal"))
    if wrong := [level for level in written.reduce if level not in _LEVELS]:
        draft.error(written.where("reduce"), f"{wrong[0]} is no level of a signal: 1, 2 or 3")
    default = Shedding(written.signal)
    stagger, longest = _or(written.stagger, default.stagger), _or(written.longest, default.longest)
    return Shedding(written.signal, dict(written.reduce), stagger, longest)


def _curve(draft: Draft, written: CurveFile) -> HeatingCurve:
    if written.minimum >= written.maximum:
        draft.error(written.where("minimum"), "must be less than maximum")
    return HeatingCurve(
        written.slope, written.shift, written.minimum, written.maximum, written.room, written.feedback,
        written.feedback_cap, _or(written.damping, HeatingCurve().damping),
    )  # fmt: skip


def _exercise(written: ExerciseFile) -> Exercise:
    default = Exercise()
    return Exercise(_or(written.after, default.after), _or(written.lasting, default.lasting))


def _heat_pump(written: HeatPumpFile) -> HeatPump:
    default = HeatPump()
    on, off = _or(written.min_on, default.min_on), _or(written.min_off, default.min_off)
    return HeatPump(on, off, written.starts_per_hour, written.setback, written.backup_below)


def _hot_water(written: HotWaterFile) -> HotWater:
    return HotWater(written.storage, _or(written.lasting, HotWater().lasting), written.least)


def _or(span: timedelta | None, default: timedelta) -> timedelta:
    return default if span is None else span
