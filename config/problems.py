"""What is wrong in the site files: each finding with file, line and column, all of them in one run."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps the site from running, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in a file; line and column count from 1, 0 where a file as a whole (or no file) is meant."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding, as ``veilleuse check`` prints it."""

    file: str
    line: int
    column: int
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{Spot(self.file, self.line, self.column)}: {self.severity}: {self.message}"


class SiteError(ValueError):
    """A site that cannot run; ``problems`` are all errors and warnings, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Findings:
    """Collects problems while a site is read; the same finding counts once."""

    _seen: dict[Problem, None] = field(default_factory=dict)

    def error(self, spot: Spot, message: str) -> None:
        """Note something that keeps the site from running."""
        self._seen[Problem(spot.file, spot.line, spot.column, message)] = None

    def warning(self, spot: Spot, message: str) -> None:
        """Note something that an operator should look at."""
        self._seen[Problem(spot.file, spot.line, spot.column, message, Severity.WARNING)] = None

    def add(self, others: Findings) -> None:
        """Note everything that ``others`` found."""
        self._seen.update(others._seen)

    @property
    def count(self) -> int:
        """How many problems there are so far."""
        return len(self._seen)

    @property
    def failed(self) -> bool:
        """Whether there is at least one error."""
        return any(problem.severity is Severity.ERROR for problem in self._seen)

    def ordered(self) -> list[Problem]:
        """Everything found, file by file in the order in which the files first spoke up, then by line."""
        files = {name: rank for rank, name in enumerate(dict.fromkeys(p.file for p in self._seen))}
        return sorted(self._seen, key=lambda p: (files[p.file], p.line, p.column, p.message))


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; None when none is near. Upper and lower case count the same."""
    by_lower = {word.lower(): word for word in known}
    near = difflib.get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` with the nearest known word, or nothing when none is near."""
    near = nearest(wrong, known)
    return f'; did you mean "{near}"?' if near else ""


def known_words(known: Iterable[str], limit: int = 12) -> str:
    """The known words for the end of a message, cut where they are too many to help."""
    words = sorted(known)
    rest = len(words) - limit
    return ", ".join(words[:limit]) + (f" and {rest} more" if rest > 0 else "") if words else "none"
