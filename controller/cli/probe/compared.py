"""How one device compares with its lines in the site, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.cli.probe.units import like_facts
from drivers.likeness import Likeness, Sight, Value

_SHOWN_ODD = 4


class Verdict(StrEnum):
    """How a device compares with its lines in the site."""

    FITS = "ok"
    ODD = "odd"
    WRONG = "wrong"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Compared:
    """One device; ``against`` is what contradicts the site, a sentence each."""

    id: str
    where: str
    verdict: Verdict
    says: str = ""
    against: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What contradicts nothing, but is good to know before the first write."""
    like: Likeness | None = None

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.verdict.value:<6} {self.id}  {self.where}"
        if self.says:
            yield f"       says {self.says}"
        if self.like is not None:
            like = self.like
            good = like.count(Sight.TELLING, Sight.POSSIBLE)
            telling = [str(value) for value in like.values if value.sight is Sight.TELLING][:_SHOWN_ODD]
            yield f"       {good} of {len(like.values)} points plausible{': ' * bool(telling)}{', '.join(telling)}"
        for sentence in self.against[:_SHOWN_ODD]:
            yield f"       {sentence}"
        if len(self.against) > _SHOWN_ODD:
            yield f"       and {len(self.against) - _SHOWN_ODD} more (--json tells all)"
        yield from (f"       {sentence}" for sentence in self.notes)

    def facts(self) -> dict[str, object]:
        """For scripts."""
        return {
            "id": self.id,
            "where": self.where,
            "verdict": self.verdict.value,
            "says": self.says,
            "against": list(self.against),
            "notes": list(self.notes),
            "points": None if self.like is None else like_facts(self.like),
        }


def odd(values: Sequence[Value]) -> list[str]:
    """What contradicts a profile, a sentence each."""
    odd = [f"{value.point.name} is {value}: not plausible" for value in values if value.sight is Sight.ODD]
    return odd + [f"{value.point.name}: {value.refused}" for value in values if value.refused]


def judged(
    name: str, where: str, says: str, like: Likeness, against: Sequence[str], notes: Sequence[str] = ()
) -> Compared:
    verdict = Verdict.ODD if against else Verdict.FITS
    return Compared(name, where, verdict, says, tuple(against), tuple(notes), like)
