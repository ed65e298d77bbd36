"""Least squares over a few quantities with a prior, the older evidence fading. Pure.

Ridge regression in the form of normal equations: what is believed beforehand counts like some observations do, so
two mornings already move it and nothing ever has to be inverted that cannot be. Fading multiplies what was gathered
before by a factor for each new batch (recursive least squares with forgetting), never the prior.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Row(NamedTuple):
    """One observation: the quantities, what was seen, and how much it counts."""

    quantities: tuple[float, ...]
    seen: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of each coefficient, and by how many observations of unit quantity each belief counts."""

    mean: tuple[float, ...]
    precision: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The normal equations: ``gram`` row by row, ``moment``, and the sum of all weights that are in there."""

    gram: tuple[float, ...] = ()
    moment: tuple[float, ...] = ()
    weight: float = 0.0

    def with_rows(self, rows: Iterable[Row], keep: float = 1.0) -> Evidence:
        """The evidence with a batch more, everything older faded to ``keep`` (0-1) of what it was."""
        gram = [keep * value for value in self.gram]
        moment = [keep * value for value in self.moment]
        weight = keep * self.weight
        for row in rows:
            size = len(row.quantities)
            if not gram:
                gram, moment = [0.0] * (size * size), [0.0] * size
            for index, left in enumerate(row.quantities):
                moment[index] += row.weight * left * row.seen
                for other, right in enumerate(row.quantities):
                    gram[index * size + other] += row.weight * left * right
            weight += row.weight
        return Evidence(tuple(gram), tuple(moment), weight)

    def coefficients(self, prior: Prior) -> tuple[float, ...]:
        """The most plausible coefficients; those of ``prior`` while there is no evidence."""
        size = len(prior.mean)
        if not self.gram:
            return prior.mean
        system = [list(self.gram[index * size : (index + 1) * size]) for index in range(size)]
        right = list(self.moment)
        for index in range(size):
            system[index][index] += prior.precision[index]
            right[index] += prior.precision[index] * prior.mean[index]
        return _solved(system, right)


def _solved(system: list[list[float]], right: Sequence[float]) -> tuple[float, ...]:
    """Gauss with pivots; the system is positive definite because every precision is."""
    size = len(system)
    rows = [[*system[index], right[index]] for index in range(size)]
    for column in range(size):
        best = max(range(column, size), key=lambda index: abs(rows[index][column]))
        rows[column], rows[best] = rows[best], rows[column]
        pivot = rows[column]
        for below in range(column + 1, size):
            share = rows[below][column] / pivot[column]
            rows[below] = [value - share * of for value, of in zip(rows[below], pivot, strict=True)]
    found = [0.0] * size
    for index in reversed(range(size)):
        known = sum(rows[index][later] * found[later] for later in range(index + 1, size))
        found[index] = (rows[index][size] - known) / rows[index][index]
    return tuple(found)
