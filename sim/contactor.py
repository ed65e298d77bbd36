"""A contactor: coil, armature, auxiliary contact, the breaker behind it and the selector before it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stuck(StrEnum):
    """A contactor that does not follow its coil."""

    NO = "no"
    CLOSED = "closed"
    OPEN = "open"


@dataclass(slots=True)
class Contactor:
    """One output. ``closed`` is the auxiliary contact; the segment is fed when it is closed and not tripped."""

    phase: int
    pull_in_s: float = 0.2
    commanded: bool = False
    closed: bool = False
    tripped: bool = False
    stuck: Stuck = Stuck.NO
    hand: bool | None = None
    """Where its selector stands: on, off, or None for automatic. A hand needs no command."""
    loop_open: bool = False
    """The monitoring loop of the cable behind it is interrupted."""
    waited_s: float = 0.0

    @property
    def feeds(self) -> bool:
        """Whether the segment has mains."""
        return self.closed and not self.tripped

    def step(self, dt_s: float, *, live: bool = True, hand: bool | None = None) -> None:
        """The armature follows its coil after ``pull_in_s``; ``hand`` is the selector of the whole cabinet."""
        goal = self._goal(live, hand if self.hand is None else self.hand)
        if self.closed == goal:
            self.waited_s = 0.0
            return
        self.waited_s += dt_s
        if self.waited_s >= self.pull_in_s:
            self.closed, self.waited_s = goal, 0.0

    def _goal(self, live: bool, hand: bool | None) -> bool:
        """A coil without mains lets go, whatever it is told; a welded contact does not."""
        if self.stuck is not Stuck.NO:
            return self.stuck is Stuck.CLOSED
        return live and (self.commanded if hand is None else hand)
