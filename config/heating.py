"""What operators write about heating: occupancy, buildings and their zones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.buildings import Drift, Emitter, Generator, LawGuard, SignalKind, Steering
from config.fields import Celsius, Day, Duration, Id, Number, Text, Words
from config.written import Written
from schedules.optimum_start import HEAVY_MINUTES_PER_K

Kelvin = Annotated[Number, Field(ge=0, le=10)]
Square = Annotated[Number, Field(gt=0)]
PointNumber = Annotated[int, Field(strict=True, ge=1, le=65535)]
ScheduleName = Annotated[str, Field(pattern=r"^schedule,\d{1,7}$")]
CalendarName = Annotated[str, Field(pattern=r"^calendar,\d{1,7}$")]
EnergySource = Literal["electricity", "gas", "heat", "oil", "wood"]
Use = Literal["school", "office", "hall", "sports", "other"]


class EffectiveFile(Written):
    """The days on which an occupancy counts; before and after them the building is vacant."""

    begin: Day | None = Field(None, alias="from", description="first day, default: always was")
    to: Day | None = Field(None, description="last day, included, default: always will be")


class OccupancyFile(Written):
    """``occupancy.<id>``: when a building is occupied; dated exceptions win over closed days, these over the week."""

    effective: EffectiveFile | None = Field(None, description="from and to; outside them the building is vacant")

    weekly: dict[str, Words] = Field(
        default_factory=dict, description='hours by weekday: {mon-fri: ["08:00-17:30"], sat: ["09:00-12:00"]}'
    )
    closed: Words = Field((), description="calendars whose days are closed")
    closed_priority: Annotated[int, Field(strict=True, ge=1, le=16)] | None = Field(
        None, description="how strong closed days are among the exceptions, default 10; the lowest number wins"
    )
    also: Words = Field((), description="CSV files of dated exceptions: start,end,hours,label,state,priority,source")


class AlluresFile(Written):
    """Setpoints in degrees C."""

    comfort: Celsius = Field(description="occupied; the law caps it at 19 on the average of the building")
    reduced: Celsius = Field(description="vacant for less than 48 h; legal cap 16 from 24 h on")
    frost: Celsius = Field(8.0, description="vacant for 48 h or more; legal cap 8")
    off: Celsius = Field(5.0, description="written to a device that knows no off")


class OptimumStartFile(Written):
    """Bounds of the preheat; an empty mapping takes the defaults."""

    cap: Duration | None = Field(None, description="earliest start before the opening, default 3h")
    cap_after_vacancy: Duration | None = Field(None, description="the same after 48 h of vacancy, default 36h")
    minutes_per_k: Annotated[Number, Field(gt=0, le=600)] = Field(
        HEAVY_MINUTES_PER_K, description="heating-up time of the zone until one is learnt"
    )
    learn: bool = Field(True, description="false: keep to minutes_per_k for ever")
    stop: Duration | None = Field(None, description="longest coast before the closing, default none")


class WindowFile(Written):
    """An open window, seen by how fast the room falls."""

    slope: Annotated[Number, Field(lt=0, ge=-60)] = Field(-3.0, description="K/h; faster than this a window is open")
    lasting: Duration | None = Field(None, description="heating waits so long at most, default 30m")


class AbsenceFile(Written):
    """A detector in the room: nobody there means a lower comfort."""

    device: Id | None = Field(None, description="device of the detector; default: the zone's")
    number: PointNumber = Field(description="the point presence.<number>.detected of the device")
    after: Duration | None = Field(None, description="nobody seen for so long, default 30m")
    reduce: Kelvin = Field(1.5, description="K below the comfort")


class BoostFile(Written):
    """Warmth on demand outside the hours."""

    lasting: Duration | None = Field(None, description="unless the command says otherwise, default 2h")
    cap: Duration | None = Field(None, description="at most, default 4h")
    maximum: Celsius = Field(19.0, description="degrees C at most")


class DelegateFile(Written):
    """The plan of a zone in its controller's own Schedule object, so that it survives this gateway."""

    schedule: ScheduleName = Field(description="the controller's Schedule object, e.g. schedule,1")
    calendar: CalendarName | None = Field(
        None, description="a Calendar object of its own for the closed days, e.g. calendar,1"
    )
    values: Literal["setpoint", "mode"] = Field(
        "setpoint", description="degrees C, or the numbers 1 comfort, 2 reduced, 3 frost, 4 off"
    )
    entries_per_day: Annotated[int, Field(strict=True, ge=2, le=100)] = Field(
        6, description="room for so many entries a day"
    )
    exceptions: Annotated[int, Field(strict=True, ge=0, le=255)] = Field(1, description="room for so many exceptions")
    check: Duration | None = Field(None, description="compared with the controller so often, default 6h")
    lead: Duration | None = Field(None, description="comfort begins so much before the opening, default 0")
    drift: Drift = Field(Drift.PUSH, description="what somebody else changed: push it again, or only tell")


class ZoneFile(Written):
    """One heated zone of a building."""

    id: Id
    name: Text | None = None
    device: Id | None = Field(None, description="device that heats it; default: the building's")
    number: PointNumber | None = Field(
        None, description="the points zone.<number>.* of the device; default: its place in this list"
    )
    occupancy: Id
    allures: AlluresFile
    optimum_start: OptimumStartFile | None = Field(None, description="preheat so that it is warm at the opening")
    emitter: Emitter = Field(Emitter.RADIATOR, description="radiator, floor or air: how fast it takes a setback")
    area: Square | None = Field(None, description="m2")
    steering: Steering | None = Field(None, description="supervise or delegate; default: the building's")
    window: WindowFile | Literal["off"] | None = Field(None, description="open window by slope; off: not looked for")
    absence: AbsenceFile | None = Field(None, description="a lower comfort while a detector sees nobody")
    boost: BoostFile | None = Field(None, description="warmth on demand; without it boost is refused")
    frost_below: Celsius = Field(6.0, description="colder than this the zone is heated whatever anybody wants")
    frost_slot: bool = Field(False, description="true: frost protection takes slot 5 of the device's priority array")
    sheddable: bool = Field(True, description="false: load shedding passes it by")
    delegate: DelegateFile | None = Field(None, description="steering: delegate, and to which objects")


class CurveFile(Written):
    """The heating curve (loi de chauffe) of the supply temperature."""

    slope: Annotated[Number, Field(gt=0, le=5)] = Field(1.2, description="K of supply for each K of outdoor cold")
    shift: Annotated[Number, Field(ge=-20, le=20)] = Field(0.0, description="K, the whole curve up or down")
    minimum: Annotated[Number, Field(ge=10, le=90)] = Field(25.0, description="degrees C")
    maximum: Annotated[Number, Field(ge=20, le=110)] = Field(75.0, description="degrees C")
    room: Celsius = Field(20.0, description="room temperature at which the curve turns")
    feedback: Annotated[Number, Field(ge=0, le=10)] = Field(3.0, description="K of supply for each K a zone lacks")
    feedback_cap: Annotated[Number, Field(ge=0, le=30)] = Field(10.0, description="K of feedback at most")
    damping: Duration | None = Field(None, description="time constant of the outdoor temperature, default 12h")


class HeatPumpFile(Written):
    """What a compressor asks for."""

    min_on: Duration | None = Field(None, description="default 15m")
    min_off: Duration | None = Field(None, description="default 15m")
    starts_per_hour: Annotated[int, Field(strict=True, ge=1, le=20)] = 3
    setback: Kelvin = Field(2.0, description="K below the comfort at most: a deep setback calls the backup heater")
    backup_below: Annotated[Number, Field(ge=-30, le=20)] = Field(
        -5.0, description="degrees C outside; milder than this the backup heater is locked out"
    )


class ExerciseFile(Written):
    """A pump that has stood for long runs for a moment."""

    after: Duration | None = Field(None, description="default 168h")
    lasting: Duration | None = Field(None, description="default 60s")


class HotWaterFile(Written):
    """Domestic hot water: what the log against legionella is judged by."""

    storage: Annotated[Number, Field(ge=50, le=90)] = Field(60.0, description="degrees C once a day")
    lasting: Duration | None = Field(None, description="so long, default 60m")
    least: Annotated[Number, Field(ge=40, le=80)] = Field(50.0, description="degrees C in the distribution, always")


class PlantFile(Written):
    """The heat generator of a building; what is not written here is left to the device."""

    generator: Generator = Field(Generator.BOILER, description="boiler, heat-pump or district")
    curve: CurveFile | None = Field(None, description="lead the supply temperature; {} takes the defaults")
    summer_above: Celsius | None = Field(None, description="damped outdoor temperature above which nothing heats")
    frost_outdoor: Annotated[Number, Field(ge=-20, le=10)] = Field(
        1.0, description="colder than this outside the pump runs"
    )
    exercise: ExerciseFile | None = Field(None, description="weekly exercise of the pump; {} takes the defaults")
    heat_pump: HeatPumpFile | None = Field(
        None, description="with generator heat-pump: limits of its compressor; {} takes the defaults"
    )
    hot_water: HotWaterFile | None = Field(None, description="log against legionella; {} takes the defaults")
    start_within: Duration | None = Field(None, description="it must show that it runs so soon, default 20m")


class SheddingFile(Written):
    """What the building gives up at the levels of a signal."""

    signal: Id = Field(description="one of signals")
    reduce: dict[int, Kelvin] = Field(
        default_factory=lambda: {1: 0.5, 2: 1.0, 3: 2.0}, description="K by level 1-3 of the signal"
    )
    stagger: Duration | None = Field(None, description="from one zone's return to the next, default 10m")
    longest: Duration | None = Field(None, description="no zone is shed for longer in one go, default 2h")


class SignalFile(Written):
    """``signals.<id>``: what the town's software publishes on ``<base>/<site>/signal/<id>``."""

    kind: SignalKind = Field(description="ecowatt (levels 0-3), tempo (blue, white, red) or level (0-3)")


class BuildingFile(Written):
    """One heated building."""

    id: Id
    name: Text | None = None
    device: Id | None = Field(None, description="device with boiler.* and outdoor.temperature; default: same id")
    use: Use = Field("other", description="school, office, hall, sports or other: the factors of ISO 52120-1")
    area: Square | None = Field(None, description="m2 heated")
    steering: Steering = Field(Steering.SUPERVISE, description="supervise: setpoints; delegate: its own Schedule")
    law: LawGuard | None = Field(None, description="off, warn or clamp at 19/16/8; default warn in FR, else off")
    price: Annotated[Number, Field(ge=0, le=5)] = Field(0.12, description="euro for a kWh of heat")
    plant: PlantFile | None = Field(None, description="how the heat generator is led")
    shedding: SheddingFile | None = Field(None, description="load shedding on a signal")
    zones: tuple[ZoneFile, ...] = ()
