"""What operators write about lighting: lamp types, cabinets, lamps, programs, plans and groups."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.fields import Duration, Id, Level, MomentText, Number, StepText, Text, Words
from config.written import Written

Watts = Annotated[float, Field(strict=True, ge=0, le=5000)]
OutputNumber = Annotated[int, Field(strict=True, ge=1, le=65535)]


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

    @model_validator(mode="after")
    def _rising(self) -> LampTypeFile:
        levels = sorted(self.profile)
        if any(not 0 <= level <= 100 for level in levels):
            raise ValueError("the levels of profile lie between 0 and 100")
        powers = [self.profile[level] for level in levels]
        if powers != sorted(powers):
            raise ValueError("the power in profile must not fall when the level rises")
        return self


class SegmentFile(Written):
    """One contactor of a cabinet."""

    id: Id
    output: OutputNumber = Field(description="number of the contactor: the points segment.<output>.* of the device")
    phase: Literal[1, 2, 3] | None = Field(None, description="phase that it switches, for the balance of loads")


class CabinetFile(Written):
    """One lighting cabinet."""

    id: Id
    name: Text | None = None
    device: Id = Field(description="id of the device that switches and meters it")
    segments: tuple[SegmentFile, ...] = Field((), description="its contactors")


class LampRow(Written):
    """One row of lamps.csv; ``device`` defaults to the cabinet's."""

    id: Id
    street: str = ""
    cabinet: Id | None = None
    segment: Id | None = None
    address: int = Field(ge=1, le=65535)
    type: Id
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    device: Id | None = None


class LitFile(Written):
    """From when to when the lamps are lit."""

    begin: MomentText = Field(alias="from", description="sunset+10m, dusk, dusk(-4), 18:00")
    to: MomentText = Field(description="sunrise-10m, dawn, 06:30")
    at_least: Duration | None = Field(None, description="a shorter stretch of light stays dark, e.g. 15m")


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

    on: Words = Field(min_length=1, description="fri, mon-thu, 12-24..12-26, 2027-07-13, 1st fri, or a calendar's id")
    program: Id


class PlanFile(Written):
    """``plans.<id>``: which program on which night; the first matching rule wins, then the default."""

    default: Id
    rules: tuple[RuleFile, ...] = ()


class LampsFile(Written):
    """Which lamps: those that fit any of these."""

    street: Words = ()
    cabinet: Words = ()
    segment: Words = ()
    id: Words = ()


class GroupFile(Written):
    """Lamps and segments that follow one plan; membership is live."""

    id: Id
    plan: Id
    lamps: LampsFile | None = None
    segments: Words = Field((), description="segments without lamps of their own in lamps.csv")
