"""site.yaml as operators write it. Names are resolved in config.tree; drivers' own keys are checked there too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from config.fields import Day, Duration, Id, Number, Text, shown
from config.heating import BuildingFile, EnergySource, OccupancyFile, SignalFile
from config.lighting import (
    CabinetFile,
    DerogationFile,
    GroupFile,
    LampTypeFile,
    PhotocellFile,
    PlanFile,
    PresenceFile,
    ProgramFile,
)
from config.problems import did_you_mean
from config.written import Written

LAMPS_CSV = "lamps.csv"
_SCHEMES = {"mqtt", "mqtts"}


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = did_you_mean(name, available_timezones())
        raise ValueError(f"{shown(name)} is no time zone{near or '; write for example Europe/Paris'}") from error
    return name


def _country(code: str) -> str:
    if not re.fullmatch("[A-Z]{2}", code):
        raise ValueError(f"{shown(code)} is no country; write its two capital letters, e.g. FR")
    return code


def broker_url(text: str) -> str:
    """``mqtt://host``, ``mqtts://host:port``; no user and no password in it. Raises ValueError."""
    try:
        url = urlsplit(text)
        complete = url.scheme in _SCHEMES and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        complete = False
    if not complete:
        raise ValueError("the address of the broker is mqtt://host:port or mqtts://host:port")
    if url.username is not None or url.password is not None:
        raise ValueError(
            "no user or password in the address: use username, and password_file or VEILLEUSE_MQTT__PASSWORD"
        )
    if url.path.strip("/") or url.query or url.fragment:
        raise ValueError("the address of the broker ends after the port")
    return text.rstrip("/")


def topic_level(text: str) -> str:
    """A topic without wildcards and without a slash at either end. Raises ValueError."""
    if not text or set("+#\0") & set(text) or text.startswith(("/", "$")) or text.endswith("/"):
        raise ValueError(f"{shown(text)} cannot begin a topic: no +, # or $, no / at either end")
    return text


def _version(value: object) -> object:
    """``5`` without quotes is a number in YAML."""
    return str(value) if value == 5 else value


BrokerUrl = Annotated[str, AfterValidator(broker_url)]
TopicBase = Annotated[str, AfterValidator(topic_level)]


class SiteHead(Written):
    """``site:``, which town this is and where."""

    id: Id
    name: Text | None = None
    latitude: Annotated[Number, Field(ge=-90, le=90)] = Field(description="degrees north")
    longitude: Annotated[Number, Field(ge=-180, le=180)] = Field(description="degrees east")
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(description="name of the time zone, e.g. Europe/Paris")
    country: Annotated[str, AfterValidator(_country)] = Field("FR", description="two letters, e.g. FR")


class MqttFile(Written):
    """``mqtt:``, where the broker is; the password comes from a file or the environment, never from here."""

    url: BrokerUrl = Field("mqtt://127.0.0.1:1883", description="mqtt://host:port or mqtts://host:port")
    base: TopicBase = Field("veilleuse", description="first level of every topic")
    username: Text | None = None
    password_file: Path | None = Field(None, description="file with the password alone")
    ca_file: Path | None = Field(None, description="certificate authority of the broker (PEM)")
    cert_file: Path | None = Field(None, description="our own certificate (PEM)")
    key_file: Path | None = Field(None, description="the key of our own certificate (PEM)")
    protocol: Annotated[Literal["3.1.1", "5"], BeforeValidator(_version)] = "3.1.1"
    keepalive: Duration | None = Field(None, description="default 15s")
    home_assistant: TopicBase | None = Field(None, description="discovery prefix, usually homeassistant")


class TimingFile(Written):
    """``timing:``, durations of the wire and of reporting; docs/site-files.md has the defaults."""

    heartbeat: Duration | None = Field(None, description="a state is published at least this often (15m)")
    stale_after: Duration | None = Field(None, description="an older reading is stale (30s)")
    reassert: Duration | None = Field(None, description="an unchanged output is written again this often (15m)")
    feedback: Duration | None = Field(None, description="time for an output to show in its feedback (10s)")
    settle: Duration | None = Field(None, description="no diagnosis of a lamp so long after a change (2m)")
    persist: Duration | None = Field(None, description="a condition must hold so long to be an alarm (1m)")
    sample: Duration | None = Field(None, description="period of the history samples (1m)")


class OverridesFile(Written):
    """``overrides:``, how long a command by hand lasts."""

    default: Duration | None = Field(None, description="when the command names no end (2h)")
    cap: Duration | None = Field(None, description="at the latest (24h)")


class OpenPart(Written):
    """A mapping whose other keys belong to a driver."""

    model_config = ConfigDict(extra="allow")

    @property
    def settings(self) -> dict[str, object]:
        """The driver's keys."""
        return dict(self.__pydantic_extra__ or {})


class BusFile(OpenPart):
    """``buses.<id>``: the name of the driver, and the driver's own settings."""

    driver: str = Field(description="modbus or bacnet")


class DeviceFile(OpenPart):
    """One device: its bus, its profile, and the driver's own settings (unit, address, instance)."""

    id: Id
    bus: Id
    profile: Text = Field(description="a shipped profile, or one of the site's own in profiles/")


class CalendarFile(Written):
    """``calendars.<id>``: dated days from a file, one of the two."""

    csv: Path | None = Field(None, description="file with the columns start,end,label,source")
    ics: Path | None = Field(None, description="iCalendar file, as school and public-holiday sites give it")
    valid_until: Day | None = Field(None, description="last day that the source knows of, default: the last one listed")

    @property
    def key(self) -> Literal["csv", "ics"]:
        """Which of the two it is."""
        return "ics" if self.ics else "csv"


class MeterFile(Written):
    """One meter."""

    id: Id
    device: Id
    cabinet: Id | None = None
    building: Id | None = None
    energy: EnergySource = Field("electricity", description="electricity, gas, heat, oil or wood: what it counts, kWh")


class SiteFile(Written):
    """Site file of veilleuse."""

    site: SiteHead | None = None
    mqtt: MqttFile = MqttFile()
    timing: TimingFile = TimingFile()
    overrides: OverridesFile = OverridesFile()
    buses: dict[Id, BusFile] = Field(default_factory=dict)
    devices: tuple[DeviceFile, ...] = ()
    calendars: dict[Id, CalendarFile] = Field(default_factory=dict)
    lamp_types: dict[Id, LampTypeFile] = Field(default_factory=dict)
    cabinets: tuple[CabinetFile, ...] = ()
    lamps: Path | None = Field(None, description="inventory of the lamps, default lamps.csv")
    meters: tuple[MeterFile, ...] = ()
    photocells: tuple[PhotocellFile, ...] = ()
    presence: tuple[PresenceFile, ...] = ()
    programs: dict[Id, ProgramFile] = Field(default_factory=dict)
    plans: dict[Id, PlanFile] = Field(default_factory=dict)
    groups: tuple[GroupFile, ...] = ()
    derogations: tuple[DerogationFile, ...] = ()
    occupancy: dict[Id, OccupancyFile] = Field(default_factory=dict)
    buildings: tuple[BuildingFile, ...] = ()
    signals: dict[Id, SignalFile] = Field(default_factory=dict)
