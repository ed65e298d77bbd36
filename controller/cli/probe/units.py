"""Which units answer at a Modbus endpoint, who they say they are, and which profile they look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from controller.cli.probe.progress import Teller
from controller.cli.probe.registers import Form, Look, look_facts, look_lines
from drivers.api import BadAnswer, Busy, DriverError, NoAnswer, NotConnected
from drivers.likeness import Likeness, Sight, best, named, sample
from drivers.modbus.peek import Span
from drivers.modbus.reader import Reader
from drivers.profile import ModbusPoint, Profile

_HUNG_UP = 3
"""Connections lost in a row before the peer counts as gone: some devices hang up on a unit that they are not."""
_SHOWN = 4
_SILENCES = 2
"""A unit that answered before and now ignores this many requests of a profile is asked no more of them."""


@dataclass(slots=True)
class Unit:
    """One unit that answered; ``how`` says what."""

    unit: int
    how: str
    readable: bool = True
    """False: something answers that cannot be read, at another speed or as two units at once."""
    identity: Mapping[int, str] = field(default_factory=dict)
    likely: Sequence[Likeness] = ()
    looks: list[Look] = field(default_factory=list)

    @property
    def profile(self) -> Profile | None:
        """The likeliest profile, None where none fits."""
        return self.likely[0].profile if self.likely else None

    def lines(self) -> Iterator[str]:
        """For people; without what was peeked at."""
        yield f"unit {self.unit:>3}  {'answers' if self.readable else 'not readable'}: {self.how}"
        if self.identity:
            yield f"          says {said(self.identity)}"
        if not self.readable:
            yield "          another speed or parity, or two devices with this number?"
        for like in self.likely[:2]:
            looks = "looks like" if like is self.likely[0] else "or like"
            yield from (f"          {line}" for line in reasons(looks, like))
        if self.readable and not self.likely and not self.looks:
            yield f"          no known profile fits; look closer: --units {self.unit} --peek input:0..31"

    def facts(self) -> dict[str, object]:
        """For scripts."""
        return {
            "unit": self.unit,
            "answer": self.how,
            "readable": self.readable,
            "identification": {str(number): text for number, text in self.identity.items()},
            "profiles": [like_facts(like) for like in self.likely],
            "registers": [look_facts(look) for look in self.looks],
        }


def like_facts(like: Likeness) -> dict[str, object]:
    """A likeness for scripts."""
    values = {value.point.name: value.value for value in like.values}
    counts = {sight.value: like.count(sight) for sight in Sight}
    return {"profile": like.profile.id, "named": like.named, **counts, "values": values}


def said(identity: Mapping[int, str]) -> str:
    """Vendor, product, revision, and the names behind them, once each."""
    return ", ".join(dict.fromkeys(text for number in (0, 4, 5, 1, 2) if (text := identity.get(number, ""))))


def reasons(looks: str, like: Likeness) -> Iterator[str]:
    """A profile, and what speaks for it."""
    plausible = like.count(Sight.TELLING, Sight.POSSIBLE)
    telling = [str(value) for value in like.values if value.sight is Sight.TELLING]
    shown = ", ".join(dict.fromkeys([*telling[:_SHOWN], *telling[-1:]]))
    yield f"{looks} {like.profile.id}: {plausible} of {len(like.values)} values plausible{', it says so' * like.named}"
    if shown:
        yield f"  {shown}"


class Scan:
    """A walk over units; ``found`` grows as it goes and is there when somebody interrupts it."""

    def __init__(
        self, reader: Reader, profiles: Sequence[Profile], spans: Sequence[Span], form: Form, teller: Teller
    ) -> None:
        self.found: list[Unit] = []
        self.asked = 0
        self._reader, self._spans, self._form, self._teller = reader, spans, form, teller
        self._profiles = [profile for profile in profiles if profile.protocol == "modbus"]
        self._hung_up = 0

    async def walk(self, units: Sequence[int], *, until_found: bool = False) -> None:
        """Ask each of ``units``. Raises NotConnected, BindFailed where there is nobody to ask."""
        gone: NotConnected | None = None
        for step, unit in enumerate(units):
            self._teller.at(step, len(units), f"unit {unit}, {len(self.found)} found")
            try:
                answering = await self._present(unit)
            except NotConnected as error:
                gone, self._hung_up = error, self._hung_up + 1
                if self._hung_up >= _HUNG_UP:
                    break
            else:
                gone, self._hung_up = None, 0
                if answering is not None:
                    await self._take(answering)
                    if until_found and answering.readable:
                        return
            self.asked += 1
        if gone is not None and (self._hung_up >= _HUNG_UP or not self.found):
            raise gone

    async def _present(self, unit: int) -> Unit | None:
        try:
            how = await self._reader.presence(unit)
        except BadAnswer as error:
            return Unit(unit, error.cause, readable=False)
        return Unit(unit, how) if how else None

    async def _take(self, unit: Unit) -> None:
        """Look closer, and keep and tell what was seen even where the device falls silent meanwhile."""
        self.found.append(unit)
        if unit.readable:
            try:
                await self._closer(unit)
            except DriverError as error:
                unit.how += f", then: {error.cause}"
        self._teller.say(unit.lines())
        for look in unit.looks:
            self._teller.say(look_lines(look, self._form))

    async def _closer(self, unit: Unit) -> None:
        """Who it is, what it looks like, what lies where we were told to look."""
        unit.identity = await self._reader.identity(unit.unit)
        unit.likely = best(await self._likenesses(unit))
        for span in self._spans:
            unit.looks.append(Look(span, *await self._reader.look(unit.unit, span)))

    async def _likenesses(self, unit: Unit) -> list[Likeness]:
        """Each profile's map read, those that the device names itself first: one that fits then ends the search."""
        found: list[Likeness] = []
        silences = 0
        said = tuple(unit.identity.values())
        for profile in sorted(self._profiles, key=lambda one: not named(one, said)):
            try:
                found.append(await self._like(unit.unit, profile, named(profile, said)))
                if found[-1].named and found[-1].fits:
                    break
            except NoAnswer:
                silences += 1
                if silences >= _SILENCES:
                    break
            except (BadAnswer, Busy):
                continue
        return found

    async def _like(self, unit: int, profile: Profile, is_named: bool) -> Likeness:
        """The profile's map read as far as it may fit: the line has better things to do than to refuse."""
        points = [point for point in sample(profile.points.values()) if isinstance(point, ModbusPoint)]
        like = Likeness(profile, (), is_named)
        async with aclosing(self._reader.values(unit, points, profile.modbus)) as parts:
            async for part in parts:
                like = replace(like, values=(*like.values, *part))
                if like.hopeless(len(points)):
                    break
        return like
