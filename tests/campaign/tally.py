"""What a campaign counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What became of the answers."""

    asked: int = 0
    good: int = 0
    wrong: list[str] = field(default_factory=list)
    drawn: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def hostile(self) -> int:
        """Answers that were not simply right."""
        return self.drawn.total() - self.drawn["right"]

    def __str__(self) -> str:
        return (
            f"{self.asked} requests, {self.hostile} hostile answers in {len(self.drawn) - 1} manners, "
            f"{self.good} values accepted, {len(self.wrong)} wrong; errors {dict(self.causes.most_common())}"
        )
