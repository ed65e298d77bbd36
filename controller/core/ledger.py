"""The ledger of one group in one night: how long what was commanded and what was measured, kept by transitions.

Every member (a lamp, or a contactor of its own) is in one of nine states, commanded x measured; nothing is computed
while nothing changes. ``Ledger`` is what a State holds and the store keeps; ``OpenLedger`` is the one in hand for a
cycle. Times are aware UTC; what is not known is neither lit nor dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum

Phases = tuple[tuple[datetime, int], ...]
"""From when on which phase, in order."""
STATES, PHASES = 9, 3
STRIP_STEP, STRIP_COARSE_STEP = timedelta(minutes=1), timedelta(minutes=15)
_STRIP_FINE = 240
_DEVIATIONS, _INTERVENTIONS, _NAMED = 50, 100, 5


class Wanted(IntEnum):
    """What is commanded of a member; NOBODY: the daemon did not run."""

    LIT = 0
    DARK = 1
    NOBODY = 2


class Seen(IntEnum):
    """What is measured of a member."""

    LIT = 0
    DARK = 1
    UNKNOWN = 2


class Phase(IntEnum):
    """Where an instant lies: the sun is up; it is down; it is down and the plan has cut the light."""

    DAY = 0
    NIGHT = 1
    CUT = 2


class Kind(StrEnum):
    """How what is measured may deviate from what is commanded."""

    LIT = "lit-against-command"
    DARK = "dark-against-command"
    UNKNOWN = "not-measured"
    AWAY = "gateway-away"


def state_of(wanted: Wanted, seen: Seen) -> int:
    """The number of a member's state."""
    return 3 * wanted + seen


_KIND_OF: tuple[Kind | None, ...] = (
    None, Kind.DARK, Kind.UNKNOWN,
    Kind.LIT, None, Kind.UNKNOWN,
    None, None, Kind.AWAY,
)  # fmt: skip
"""By the number of a member's state."""
_STATES_OF = {kind: tuple(n for n, each in enumerate(_KIND_OF) if each is kind) for kind in Kind}


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``at`` on: the group's commanded level (%) and why, members commanded lit, and measured."""

    at: datetime
    level: float | None
    reason: str
    wanted: int
    lit: int
    dark: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Deviation:
    """A time in which ``members`` at most of ``of`` were not as commanded; ``names`` are some of them."""

    kind: Kind
    start: datetime
    end: datetime | None
    members: int
    of: int
    names: tuple[str, ...] = ()
    named: int = 0
    """How many there were when the names were taken."""


@dataclass(frozen=True, slots=True)
class Intervention:
    """Somebody's override, relight or works in the night; ``end`` None: still in force."""

    id: str
    target: str
    kind: str
    value: float | None
    start: datetime
    end: datetime | None
    by: str = ""
    reason: str = ""
    work_order: str = ""


@dataclass(frozen=True, slots=True)
class Programme:
    """What the plan ran from ``at`` on."""

    at: datetime
    plan: str
    program: str
    rule: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """One group from noon ``start`` to noon ``end``, accounted up to ``at``.

    ``counts`` are members by state, ``seconds`` member-seconds by phase and state.
    """

    night: date
    start: datetime
    end: datetime
    at: datetime
    grace_s: float
    phases: Phases
    ran: tuple[Programme, ...]
    members: Mapping[str, int] = field(default_factory=dict)
    counts: tuple[int, ...] = (0,) * STATES
    seconds: tuple[float, ...] = (0.0,) * (PHASES * STATES)
    level: float | None = None
    """What the group is commanded (%); None while the daemon does not run."""
    reason: str = ""
    strip: tuple[Stretch, ...] = ()
    going: Mapping[str, Deviation] = field(default_factory=dict)
    """Deviations that last, by kind."""
    deviations: tuple[Deviation, ...] = ()
    deviations_dropped: int = 0
    interventions: tuple[Intervention, ...] = ()
    interventions_dropped: int = 0
    alarms: Mapping[str, int] = field(default_factory=dict)
    """How often an alarm was raised, by its event."""


class OpenLedger:
    """A ledger in hand: the same, to be written in."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.at = ledger.at
        self.members = dict(ledger.members)
        self.counts = list(ledger.counts)
        self.seconds = list(ledger.seconds)
        self.level, self.reason = ledger.level, ledger.reason
        self.strip = ledger.strip
        self.going = dict(ledger.going)
        self.deviations = ledger.deviations
        self.deviations_dropped = ledger.deviations_dropped
        self.interventions = ledger.interventions
        self.interventions_dropped = ledger.interventions_dropped
        self.alarms: Mapping[str, int] = ledger.alarms
        self.ran, self.phases = ledger.ran, ledger.phases
        self._grace = timedelta(seconds=ledger.grace_s)

    @property
    def end(self) -> datetime:
        """The noon at which the night is over."""
        return self._ledger.end

    def settle(self, at: datetime) -> None:
        """Account everything up to ``at``, which may lie behind what is accounted, or beyond the night."""
        at = min(at, self._ledger.end)
        if at <= self.at:
            return
        self._into_strip()
        for phase, span_s in _spans(self.phases, self.at, at):
            first = phase * STATES
            for state, count in enumerate(self.counts):
                if count:
                    self.seconds[first + state] += count * span_s
        self.at = at
        if self.going:
            self._measure_the_going()

    def move(self, key: str, state: int, at: datetime) -> None:
        """A member is in another state from ``at`` on; one that is new joins."""
        old = self.members.get(key)
        if old == state:
            return
        if at > self.at:
            self.settle(at)
        self.members[key] = state
        self.counts[state] += 1
        before = None
        if old is not None:
            self.counts[old] -= 1
            before = _KIND_OF[old]
        after = _KIND_OF[state]
        if before is not None or after is not None:
            self._watch(before, after)

    def desert(self, at: datetime) -> None:
        """The daemon stopped at ``at``: nobody commands or measures from then on."""
        for key in list(self.members):
            self.move(key, state_of(Wanted.NOBODY, Seen.UNKNOWN), at)
        self.command(None, "", at)

    def plan(self, programme: Programme, phases: Phases, at: datetime) -> None:
        """Another program, or the same with other hours, from ``at`` on."""
        self.settle(at)
        last = self.ran[-1]
        if (last.plan, last.program, last.rule) != (programme.plan, programme.program, programme.rule):
            self.ran = (*self.ran, programme)
        if phases != self.phases:
            then = max((each for each in phases if each[0] <= self.at), default=phases[0])
            past = tuple(each for each in self.phases if each[0] < self.at)
            self.phases = (*past, (self.at, then[1]), *(each for each in phases if each[0] > self.at))

    def want(self, wishes: Iterable[tuple[str, bool]], at: datetime) -> None:
        """These members are commanded lit, or dark, from ``at`` on; all of a town at once at dusk."""
        if at > self.at:
            self.settle(at)
        members, counts = self.members, self.counts
        for key, lit in wishes:
            old = members.get(key)
            if old is None:
                continue
            state = old % 3 if lit else 3 + old % 3
            if state != old:
                members[key] = state
                counts[old] -= 1
                counts[state] += 1
        for kind in Kind:
            if not self._number(kind):
                self._end(kind)
            elif kind not in self.going:
                self.going[kind] = Deviation(kind, self.at, None, 0, 0)

    def leave(self, key: str, at: datetime) -> None:
        """A member is gone from the group."""
        self.settle(at)
        state = self.members.pop(key)
        self.counts[state] -= 1
        self._watch(_KIND_OF[state], None)

    def command(self, level: float | None, reason: str, at: datetime) -> None:
        """The level that the whole group is commanded from ``at`` on."""
        if (level, reason) == (self.level, self.reason):
            return
        self.settle(at)
        self.level, self.reason = level, reason

    def intervene(self, entry: Intervention) -> None:
        """Note an intervention, within reason."""
        if len(self.interventions) >= _INTERVENTIONS:
            self.interventions_dropped += 1
        else:
            self.interventions = (*self.interventions, entry)

    def end_intervention(self, target: str, relight: bool, at: datetime) -> None:
        """The relight at ``target`` is over, or what an operator had there; the two may stand side by side."""
        self.interventions = tuple(
            replace(each, end=at)
            if each.target == target and each.end is None and (each.kind == "relight") is relight
            else each
            for each in self.interventions
        )

    def alarm(self, event: str) -> None:
        """Count an alarm that was raised."""
        self.alarms = {**self.alarms, event: self.alarms.get(event, 0) + 1}

    def close(self) -> Ledger:
        """The whole night; what still lasts ends with it."""
        self.settle(self._ledger.end)
        for kind in list(self.going):
            self._end(Kind(kind))
        return self.frozen()

    def frozen(self) -> Ledger:
        """As it is now."""
        self._into_strip()
        first = self._ledger  # not replace(): all of a town's ledgers are written anew at dusk
        return Ledger(
            first.night,
            first.start,
            first.end,
            grace_s=first.grace_s,
            at=self.at,
            members=self.members,
            counts=tuple(self.counts),
            seconds=tuple(self.seconds),
            level=self.level,
            reason=self.reason,
            strip=self.strip,
            going=self.going,
            deviations=self.deviations,
            deviations_dropped=self.deviations_dropped,
            interventions=self.interventions,
            interventions_dropped=self.interventions_dropped,
            alarms=self.alarms,
            ran=self.ran,
            phases=self.phases,
        )

    def _into_strip(self) -> None:
        """The counts as one stretch, to the minute; to the quarter of an hour once there are many."""
        c, strip = self.counts, self.strip
        seen = (c[0] + c[3] + c[6], c[1] + c[4] + c[7], c[2] + c[5] + c[8])
        shown = (self.level, self.reason, c[0] + c[1] + c[2], *seen)
        if strip and _shown(strip[-1]) == shown:
            return
        at, step = self.at, STRIP_STEP if len(strip) < _STRIP_FINE else STRIP_COARSE_STEP
        if strip and at - strip[-1].at < step:
            at, strip = strip[-1].at, strip[:-1]
            if strip and _shown(strip[-1]) == shown:
                self.strip = strip
                return
        self.strip = (*strip, Stretch(at, *shown))

    def _watch(self, before: Kind | None, after: Kind | None) -> None:
        """A deviation begins with its first member and ends with its last."""
        if before is not None and before is not after and not self._number(before):
            self._end(before)
        if after is not None and after not in self.going:
            self.going[after] = Deviation(after, self.at, None, 0, 0)

    def _measure_the_going(self) -> None:
        """Of what lasted until now, take down how many it was, and who, once it is more than a moment."""
        for kind, going in self.going.items():
            self.going[kind] = self._measured(going, self._number(going.kind))

    def _measured(self, going: Deviation, number: int) -> Deviation:
        if number > going.members:
            going = replace(going, members=number, of=len(self.members))
        if number > going.named and self.at - going.start >= self._grace:
            names = [key for key, state in self.members.items() if _KIND_OF[state] is going.kind]
            going = replace(going, names=tuple(names[:_NAMED]), named=number)
        return going

    def _number(self, kind: Kind) -> int:
        """How many members deviate so."""
        number = 0
        for state in _STATES_OF[kind]:
            number += self.counts[state]
        return number

    def _end(self, kind: Kind) -> None:
        going = self.going.pop(kind, None)
        if going is None or self.at - going.start < self._grace:
            return
        found = (*self.deviations, replace(going, end=self.at))
        if len(found) > _DEVIATIONS:
            shortest = min(found, key=lambda each: (each.end or self.at) - each.start)
            found = tuple(each for each in found if each is not shortest)
            self.deviations_dropped += 1
        self.deviations = found


def _shown(stretch: Stretch) -> tuple[float | None, str, int, int, int, int]:
    return (stretch.level, stretch.reason, stretch.wanted, stretch.lit, stretch.dark, stretch.unknown)


def _spans(phases: Phases, start: datetime, end: datetime) -> list[tuple[int, float]]:
    """How many seconds of [start, end) lie in which phase."""
    found = []
    for index, (since, phase) in enumerate(phases):
        until = phases[index + 1][0] if index + 1 < len(phases) else end
        span_s = (min(end, until) - max(start, since)).total_seconds()
        if span_s > 0.0:
            found.append((phase, span_s))
    return found


def seconds_of(phases: Phases, start: datetime, end: datetime) -> tuple[float, float, float]:
    """How long each phase lasts within [start, end)."""
    totals = [0.0] * PHASES
    for phase, span_s in _spans(phases, start, end):
        totals[phase] += span_s
    return totals[0], totals[1], totals[2]
