"""The southbound words: points, readings, writes, the driver protocol and the error tree.

The tree of errors; a lane (controller.bus) catches ``DriverError`` and nothing broader::

    DriverError
    ├── Retryable                  the same request may succeed later
    │   ├── NotConnected           no connection, refused, peer closed
    │   ├── NoAnswer               the peer was silent past the deadline
    │   ├── BadAnswer              short, foreign or undecodable answer: a fault, never a value
    │   └── Busy                   the peer says: not now (Modbus exceptions 5, 6, 10, 11; BACnet busy)
    └── Terminal                   the same request will fail again until somebody changes something
        ├── Refused                illegal address, unknown object, write access denied, value out of range
        └── BindFailed             our own side cannot be opened (port taken, serial line missing)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from drivers.timetable import Agenda

Now = Callable[[], datetime]
"""The site's clock: aware UTC. Given to a driver at the composition root; drivers never ask the system."""

WRONG_UNIT = "unit is "
"""How the cause of a fault begins whose point has another unit than its profile says."""
LIMITATION = "limitation"
"""The severity of a notice that is no alarm."""
RELINQUISH = None
"""The value of a write that frees its priority slot (BACnet Null)."""


class Quality(StrEnum):
    """How far a value may be trusted. Computed from the reading and the time, never set by a timer."""

    UNKNOWN = "unknown"
    GOOD = "good"
    UNCERTAIN = "uncertain"
    STALE = "stale"
    OFFLINE = "offline"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, order=True)
class PointId:
    """One point of one device; ``point`` is the name in the device's profile, e.g. ``lamp.3.level``."""

    device: str
    point: str

    def __str__(self) -> str:
        return f"{self.device}/{self.point}"


class Reading(NamedTuple):
    """A value as the device gave it, scaled to the profile's unit; binary points are 0.0 or 1.0, never NaN.

    A tuple because thousands a second are made: it costs a quarter of a frozen dataclass.

    ``quality`` is GOOD or UNCERTAIN (the device itself marks it overridden or out of service). ``slots`` is
    the occupied part of a BACnet priority array, ``((priority, value), ...)``, empty where there is none.
    """

    point: PointId
    value: float
    at: datetime
    quality: Quality = Quality.GOOD
    slots: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """The device answered, but this point has no usable value: sentinel, NaN, reliability fault, illegal address."""

    point: PointId
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """The device did not answer; what was known of its points ages from here."""

    device: str
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A standing condition that a driver or a lane found and the daemon shows as an alarm until it ``holds`` no more.

    ``subject`` is ``device/<id>`` or ``bus/<id>``; ``event`` the alarm's name (``duplicateAddress``, ``clockError``,
    ``pollingOverload``); ``value`` and ``threshold`` its figures; ``detail`` one sentence for the operator.
    Of severity LIMITATION it is no alarm: something that the device cannot do, told once as an event of that name.
    """

    subject: str
    event: str
    holds: bool
    at: datetime
    severity: str = "major"
    value: float | None = None
    threshold: float | None = None
    detail: str = ""


Observation = Reading | Fault | Silence | Notice
Hear = Callable[[Sequence[Observation]], None]
"""Where a driver puts what nobody asked for: changes that a device reported by itself, notices."""


class Outcome(StrEnum):
    """What became of a write, judged by reading back."""

    APPLIED = "applied"
    MASKED = "masked"
    REJECTED = "rejected"
    NO_FEEDBACK = "no-feedback"


@dataclass(frozen=True, slots=True)
class Write:
    """One value for one point. ``value`` None relinquishes ``priority``; Modbus ignores the priority."""

    point: PointId
    value: float | None
    priority: int = 13


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The outcome of a write with what was read back (``observed``) and who masks it (``masked_by``, 1-16)."""

    write: Write
    outcome: Outcome
    at: datetime
    observed: Reading | None = None
    masked_by: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleRef:
    """A device's own Schedule object (``schedule,1``), and the Calendar object (``calendar,1``) that goes with it.

    ``whole`` says that its values are whole numbers (modes), else they are REAL.
    """

    device: str
    schedule: str
    calendar: str | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """Read what a Schedule object holds."""

    ref: ScheduleRef


@dataclass(frozen=True, slots=True)
class Push:
    """Write what differs from ``agenda``, and read back; what is over before ``since`` is left as it is.

    ``setpoint`` is the point that the values are of, in its profile's unit; None: they have no unit.
    """

    ref: ScheduleRef
    agenda: Agenda
    since: date | None = None
    setpoint: str | None = None


Errand = Look | Push
"""What a device is asked for between its polls, one at a time."""


@dataclass(frozen=True, slots=True)
class ScheduleSeen:
    """What a Schedule object holds; ``agenda`` None where it could not be read, ``cause`` says why."""

    ref: ScheduleRef
    agenda: Agenda | None
    at: datetime
    cause: str = ""


@dataclass(frozen=True, slots=True)
class PushResult:
    """What became of a push: APPLIED, REJECTED or NO_FEEDBACK, judged by what was read back (``seen``)."""

    ref: ScheduleRef
    outcome: Outcome
    at: datetime
    seen: Agenda | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """One due unit of reading: points of one device that share a period. ``index`` is the driver's own key."""

    device: str
    index: int
    every_s: float
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """What cannot be talked to at the same time: a serial line, one TCP endpoint, one BACnet device."""

    name: str
    devices: tuple[str, ...]


class Memory(Protocol):
    """What a driver has learnt of a device and wants to know again after a restart; flat facts, few and small."""

    def recall(self, device: str) -> Mapping[str, int]:
        """The facts last remembered of ``device``; empty where there are none."""
        ...

    def remember(self, device: str, facts: Mapping[str, int]) -> None:
        """Keep ``facts`` in place of the earlier ones; returns at once, the disk follows."""
        ...


class Forgetful:
    """A Memory that lasts as long as the process."""

    def __init__(self) -> None:
        self._facts: dict[str, Mapping[str, int]] = {}

    def recall(self, device: str) -> Mapping[str, int]:
        """See Memory."""
        return self._facts.get(device, {})

    def remember(self, device: str, facts: Mapping[str, int]) -> None:
        """See Memory."""
        self._facts[device] = dict(facts)


def _unheard(_: Sequence[Observation]) -> None:
    """For a driver that runs by itself: nobody listens."""


@dataclass(frozen=True, slots=True)
class Host:
    """What the daemon lends a driver: the clock, the directory that relative paths start at, memory, an ear."""

    now: Now
    directory: Path
    memory: Memory = field(default_factory=Forgetful)
    hear: Hear = _unheard


class Driver(Protocol):
    """One bus. ``read`` and ``write`` are bounded in time by the driver itself and raise only ``DriverError``.

    A lane calls one of them at a time; different lanes call at the same time. Connections open on first use
    and again after a loss; ``open`` does what concerns the whole bus (a UDP socket) and may raise BindFailed.
    """

    @property
    def lanes(self) -> Sequence[Lane]: ...

    @property
    def polls(self) -> Mapping[str, Sequence[Poll]]:
        """The polls of every device, by device id."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None:
        """Close sockets and lines; never raises, takes under a second."""
        ...

    async def read(self, poll: Poll) -> Sequence[Reading | Fault]:
        """Read one poll's points. Raises DriverError when the device as a whole did not answer properly."""
        ...

    async def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Write to ONE device and read back; adjoining registers travel in one request, results in order.

        A refusal is a result (REJECTED), not an error; an unreachable device raises Retryable.
        """
        ...


@runtime_checkable
class Scheduling(Protocol):
    """What a driver can do besides, where its devices have schedules of their own. Raises Retryable as ``read``."""

    async def look(self, errand: Look) -> ScheduleSeen:
        """What the Schedule object holds; a refusal is an answer without an agenda."""
        ...

    async def push(self, errand: Push) -> PushResult:
        """Write what differs and read back; a refusal is a result (REJECTED)."""
        ...


class DriverError(Exception):
    """Root of the tree; ``cause`` is a short lower-case phrase fit for a log line and an MQTT payload."""

    retryable: ClassVar[bool]

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Retryable(DriverError):
    """The same request may succeed later."""

    retryable = True


class Terminal(DriverError):
    """The same request fails until somebody changes something."""

    retryable = False


class NotConnected(Retryable):
    """No connection: refused, unreachable or closed by the peer."""


class NoAnswer(Retryable):
    """The peer was silent past the deadline."""


class BadAnswer(Retryable):
    """A short, foreign or undecodable answer."""


class Busy(Retryable):
    """The peer asks to come again later."""


class Refused(Terminal):
    """The peer refuses for good."""


class BindFailed(Terminal):
    """Our own side of the bus cannot be opened."""
