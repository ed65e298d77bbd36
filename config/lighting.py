"""What operators write about lighting: lamp types, cabinets, lamps, programs, plans and groups."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from config.fields import Day, Duration, EndText, Id, Level, MomentText, Number, StepText, Text, Words
from config.written import Written

Watts = Annotated[float, Field(strict=True, ge=0, le=5000)]
OutputNumber = Annotated[int, Field(strict=True, ge=1, le=65535)]
Share = Annotated[float, Field(strict=True, gt=0, le=100)]
Lux = Annotated[float, Field(strict=True, gt=0, le=20_000)]
Phase = Literal[1, 2, 3]


class MaintenanceFile(Written):
    """Cleaning: a clean luminaire needs only ``factor`` (%) of its output, rising to all of it after ``every``."""

    factor: Share = Field(description="output (%) of a luminaire that was just cleaned")
    every: Duration = Field(description="time from one cleaning to the next, e.g. 1095d")


class LampTypeFile(Written):
    """``lamp_types.<id>``: electrical data of a kind of lamp."""

    power: Annotated[Watts, Field(gt=0)] = Field(description="W at 100 %")
    standby: Watts = Field(0.5, description="W of the node when the lamp is off")
    min_level: Level = Field(1.0, description="lowest level (%) that the lamp can hold")
    profile: dict[int, Watts] = Field(
        default_factory=dict, description="measured power: level (%) to W, e.g. {0: 0.5, 50: 20, 100: 42}"
    )
    tolerance: Annotated[Number, Field(gt=0, le=1)] = Field(
        0.15, description="share by which the power may differ before it is an alarm"
    )
    tolerance_w: Watts = Field(0.0, description="W by which it may differ at least, on top of the share")
    power_gradient: Annotated[Number, Field(ge=0.5, le=3)] = Field(
        1.0, description="without a profile: how much slower than the level the power falls (TALQ powerLightGradient)"
    )
    virtual_output: Share = Field(100.0, description="output (%) that the luminaire is cut down to for good")
    clo: dict[int, Share] = Field(
        default_factory=dict, description="constant light output: burning hours to output (%), e.g. {0: 80, 60000: 100}"
    )
    clo_by: Literal["controller", "gear"] = Field("controller", description="who keeps the light output constant")
    maintenance: MaintenanceFile | None = Field(None, description="how the light falls between two cleanings")
    power_factor: dict[int, Annotated[Number, Field(gt=0, le=1)]] = Field(
        default_factory=dict, description="least good power factor by level (%), e.g. {10: 0.5, 50: 0.8, 100: 0.95}"
    )
    warm_up: Duration | None = Field(None, description="time that a discharge lamp takes to its full light")
    cool_down: Duration | None = Field(None, description="time that a discharge lamp stays off before it strikes again")

    @model_validator(mode="after")
    def _rising(self) -> LampTypeFile:
        for name in ("profile", "power_factor"):
            if any(not 0 <= level <= 100 for level in getattr(self, name)):
                raise ValueError(f"the levels of {name} lie between 0 and 100")
        powers = [self.profile[level] for level in sorted(self.profile)]
        if powers != sorted(powers):
            raise ValueError("the power in profile must not fall when the level rises")
        if any(hours < 0 for hours in self.clo):
            raise ValueError("the burning hours of clo begin at 0")
        return self


class SegmentFile(Written):
    """One contactor of a cabinet."""

    id: Id
    output: OutputNumber = Field(description="number of the contactor: the points segment.<output>.* of the device")
    phase: Phase | None = Field(None, description="phase that it switches; none: all three")
    min_on: Duration | None = Field(None, description="once closed it stays so at least so long")
    min_off: Duration | None = Field(None, description="once open it stays so at least so long")


class CabinetFile(Written):
    """One lighting cabinet."""

    id: Id
    name: Text | None = None
    device: Id = Field(description="id of the device that switches and meters it")
    segments: tuple[SegmentFile, ...] = Field((), description="its contactors")
    stagger: Duration | None = Field(None, description="least time between two of its contactors closing, e.g. 1s")
    patterns: dict[Annotated[int, Field(ge=1, le=100)], Annotated[Words, Field(min_length=1)]] = Field(
        default_factory=dict,
        description="which contactors are closed for a level (%): {50: [north], 100: [north, south]}",
    )


class PhotocellFile(Written):
    """One light sensor that programs may follow."""

    id: Id
    device: Id
    number: OutputNumber = Field(1, description="the points photocell.<number>.* of the device")
    on_below: Lux = Field(35.0, description="dark below so many lux")
    off_above: Lux | None = Field(None, description="bright above so many lux, default 1.4 times on_below")
    hold: Duration | None = Field(None, description="time that it must stay dark or bright to count (2m)")


class LampsFile(Written):
    """Which lamps: those that fit any of these."""

    street: Words = ()
    cabinet: Words = ()
    segment: Words = ()
    id: Words = ()


class NeighboursFile(Written):
    """The lamps next to those of a presence sensor."""

    within_m: Annotated[Number, Field(gt=0, le=1000)] = Field(description="lamps within so many metres of one of them")
    level: Level = Field(description="their level (%) during a presence")


class PresenceFile(Written):
    """One presence sensor and the lamps that it brightens while the plan has them dimmed or cut."""

    id: Id
    device: Id
    number: OutputNumber = Field(1, description="the points presence.<number>.* of the device")
    lamps: LampsFile
    level: Level = Field(100.0, description="at least this level (%) during a presence")
    hold: Duration | None = Field(None, description="how long after the last presence (2m)")
    neighbours: NeighboursFile | None = None


class LampRow(Written):
    """One row of lamps.csv; ``device`` defaults to the cabinet's."""

    id: Id
    street: str = ""
    cabinet: Id | None = None
    segment: Id | None = None
    address: int | None = Field(None, ge=1, le=65535)
    type: Id
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    device: Id | None = None
    phase: int | None = Field(None, ge=1, le=3)
    burning_h: float = Field(0.0, ge=0, le=1_000_000)
    cleaned: date | None = None


class PhotocellWindowFile(Written):
    """A photocell decides around ``from`` and ``to``: dark is lit, bright is not; outside the clock does."""

    cell: Id = Field(description="id of one of the photocells")
    early: Duration | None = Field(None, description="from so long before from and to (30m)")
    late: Duration | None = Field(None, description="to so long after from and to (15m)")


class LitFile(Written):
    """From when to when the lamps are lit."""

    begin: MomentText = Field(alias="from", description="sunset+10m, dusk, dusk(-4), 18:00, opening(ecole)-30m")
    to: MomentText = Field(description="sunrise-10m, dawn, 06:30, closing(ecole)+1h")
    at_least: Duration | None = Field(None, description="a shorter stretch of light stays dark, e.g. 15m")
    photocell: PhotocellWindowFile | None = Field(None, description="a cell that decides around from and to")


class ProgramFile(Written):
    """``programs.<id>``: the level over one night, noon to noon."""

    lit: LitFile
    levels: dict[StepText, Level] = Field(
        default_factory=dict, description='from that moment on this level (%): {start: 100, "22:30": 60}'
    )
    ramp: Duration | None = Field(None, description="time that a change of level takes, e.g. 30s")
    sun_stays_up: Literal["lit", "dark"] = Field("dark", description="nights without a sunset (far north)")
    sun_stays_down: Literal["lit", "dark"] = Field("lit", description="days without a sunrise (far north)")


class RuleFile(Written):
    """One rule of a plan."""

    on: Words = Field(
        (), min_length=1, description="fri, mon-thu, 12-24..12-26, 2027-07-13, 1st fri, or a calendar's id"
    )
    within: Words = Field((), min_length=1, description="only on these days, e.g. the season 04-01..09-30")
    program: Id


class PlanFile(Written):
    """``plans.<id>``: which program on which night; the first matching rule wins, then the default."""

    default: Id
    rules: tuple[RuleFile, ...] = ()


class RelightFile(Written):
    """Light on demand inside the cut."""

    level: Level = Field(100.0, description="level (%) at most; never above what the program had before the cut")
    lasting: Duration | None = Field(None, alias="for", description="how long when nobody says (10m)")
    cap: Duration | None = Field(None, description="how long at most (15m)")
    per_hour: Annotated[int, Field(strict=True, ge=1, le=60)] = Field(4, description="so often in an hour at most")
    per_night: Annotated[int, Field(strict=True, ge=1, le=500)] = Field(20, description="so often in a night at most")


class LegalFile(Written):
    """The legal hours of a group: docs/site-files.md lists the categories."""

    category: Id = Field(description="public-road, car-park, facade, parks, ...")
    occupancy: Id | None = Field(None, description="whose activity counts, where the category follows an activity")


def _category_alone(value: object) -> object:
    """``legal: facade`` is ``legal: {category: facade}``."""
    return {"category": value} if isinstance(value, str) else value


class GroupFile(Written):
    """Lamps and segments that follow one plan; membership is live."""

    id: Id
    plan: Id | None = Field(None, description="default: the plan of the group that this one is nested in")
    groups: Words = Field((), description="groups nested in this one")
    relight: RelightFile | None = Field(None, description="light on demand inside the cut, for citizens and agents")
    lamps: LampsFile | None = None
    segments: Words = Field((), description="segments without lamps of their own in lamps.csv")
    legal: Annotated[
        LegalFile | None, BeforeValidator(_category_alone, json_schema_input_type=str | LegalFile | None)
    ] = Field(None, description="the legal hours that bind it: facade, or {category: car-park, occupancy: school}")


class DerogationFile(Written):
    """An authority's leave to light beyond the legal hours, as it was given."""

    id: Id
    groups: Words = Field(min_length=1, description="whose legal hours it moves")
    begin: Day = Field(alias="from", description="first night, by the date of its evening")
    to: Day = Field(description="last night, included")
    on: Words = Field((), description="only these of the nights, in the words of a plan's rule")
    until: EndText = Field(description="end of the light: 03:00, or all-night")
    reference: Text = Field(description="the decision, e.g. arrêté préfectoral 2026-114")
    issuer: Text = Field(description="who gave it, e.g. préfecture du Pas-de-Calais")
    reason: Text | None = None
