"""What operators write about heating: occupancy, buildings and their zones."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.fields import Celsius, Duration, Id, Number, Text, Words
from config.written import Written
from schedules.optimum_start import HEAVY_MINUTES_PER_K


class OccupancyFile(Written):
    """``occupancy.<id>``: when a building is occupied; dated exceptions win over closed days, these over the week."""

    weekly: dict[str, Words] = Field(
        default_factory=dict, description='hours by weekday: {mon-fri: ["08:00-17:30"], sat: ["09:00-12:00"]}'
    )
    closed: Words = Field((), description="calendars whose days are closed")
    also: Words = Field((), description="CSV files of dated exceptions: start,end,hours,label,source")


class AlluresFile(Written):
    """Setpoints in degrees C."""

    comfort: Celsius = Field(description="occupied; the law caps it at 19 on the average of the building")
    reduced: Celsius = Field(description="vacant for less than 48 h; legal cap 16")
    frost: Celsius = Field(8.0, description="vacant for 48 h or more; legal cap 8")
    off: Celsius = Field(5.0, description="written to a device that knows no off")


class OptimumStartFile(Written):
    """Bounds of the preheat; an empty mapping takes the defaults."""

    cap: Duration | None = Field(None, description="earliest start before the opening, default 3h")
    cap_after_vacancy: Duration | None = Field(None, description="the same after 48 h of vacancy, default 36h")
    minutes_per_k: Annotated[Number, Field(gt=0, le=600)] = Field(
        HEAVY_MINUTES_PER_K, description="heating-up time of the zone until one is learnt"
    )


class ZoneFile(Written):
    """One heated zone of a building."""

    id: Id
    name: Text | None = None
    device: Id | None = Field(None, description="device that heats it; default: the building's")
    number: Annotated[int, Field(strict=True, ge=1, le=65535)] | None = Field(
        None, description="the points zone.<number>.* of the device; default: its place in this list"
    )
    occupancy: Id
    allures: AlluresFile
    optimum_start: OptimumStartFile | None = Field(None, description="preheat so that it is warm at the opening")


class BuildingFile(Written):
    """One heated building."""

    id: Id
    name: Text | None = None
    device: Id | None = Field(None, description="device with boiler.* and outdoor.temperature; default: same id")
    zones: tuple[ZoneFile, ...] = ()
