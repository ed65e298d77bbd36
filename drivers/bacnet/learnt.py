"""What was learnt of how much a device can be asked at once, as facts that outlive the process. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

AGAIN_AFTER_S = 86_400
"""A limit is tried again upward after a day: one bad moment does not slow a device for ever."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """``budget_octets`` None: as much as its APDU holds. ``at_s``: seconds since 1970 when the limit was met.

    ``firmware`` is a checksum of the firmware that has this limit, 0 while it was not asked for.
    """

    budget_octets: int | None = None
    multiple: bool = True
    at_s: int = 0
    firmware: int = 0

    @property
    def limited(self) -> bool:
        """Whether there is anything to remember."""
        return self.budget_octets is not None or not self.multiple

    @property
    def facts(self) -> dict[str, int]:
        """For drivers.api.Memory."""
        if not self.limited:
            return {}
        facts = {"multiple": int(self.multiple), "at_s": self.at_s, "firmware": self.firmware}
        return facts if self.budget_octets is None else facts | {"budget_octets": self.budget_octets}

    def over(self, now_s: float) -> bool:
        """Whether it is time to try more again; a clock that went back counts as over."""
        return self.limited and not 0 <= now_s - self.at_s < AGAIN_AFTER_S

    def less(self, octets: int, now_s: float) -> Learnt:
        """With a smaller budget."""
        least = octets if self.budget_octets is None else min(self.budget_octets, octets)
        return replace(self, budget_octets=least, at_s=int(now_s))

    def single(self, now_s: float) -> Learnt:
        """One property at a time."""
        return replace(self, multiple=False, at_s=int(now_s))


def recalled(facts: Mapping[str, int]) -> Learnt:
    """What ``Learnt.facts`` said."""
    budget = facts.get("budget_octets")
    multiple = bool(facts.get("multiple", 1))
    return Learnt(
        budget if budget is None or budget > 0 else None, multiple, facts.get("at_s", 0), facts.get("firmware", 0)
    )


def checksum(octets: bytes) -> int:
    """A firmware's name as a number, never 0."""
    return zlib.crc32(octets) or 1
