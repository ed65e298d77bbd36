"""Ordinary least squares for a handful of columns, with its covariance; and the t distribution. No library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Vector = Sequence[float]
_STEPS = 400
_TINY = 1e-9


class Singular(ArithmeticError):
    """The columns say the same thing: no coefficient can be told from another."""


@dataclass(frozen=True, slots=True)
class Fit:
    """``y = sum(coefficient * column)``; ``covariance`` is that of the coefficients."""

    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    residuals: tuple[float, ...]
    freedom: int
    """Degrees of freedom of the residuals."""
    variance: float
    """Of one residual."""
    r2: float
    """Share of the spread of y around its mean that is explained."""

    def predicted(self, row: Vector) -> float:
        """y at a row of columns."""
        return sum(a * b for a, b in zip(self.coefficients, row, strict=True))

    def leverage(self, row: Vector) -> float:
        """Variance of ``predicted(row)``, from what is not known of the coefficients."""
        covered = zip(self.covariance, row, strict=True)
        return sum(x * sum(c * z for c, z in zip(line, row, strict=True)) for line, x in covered)

    @property
    def errors(self) -> tuple[float, ...]:
        """The standard error of each coefficient."""
        return tuple(math.sqrt(max(0.0, self.covariance[i][i])) for i in range(len(self.coefficients)))


def fit(rows: Sequence[Vector], y: Vector, spent: int = 0) -> Fit:
    """Least squares of ``y`` on ``rows``; ``spent`` parameters more were chosen by looking at ``y``.

    Raises Singular, and ValueError with fewer rows than parameters.
    """
    width = len(rows[0])
    freedom = len(rows) - width - spent
    if freedom < 1:
        raise ValueError(f"{len(rows)} rows for {width + spent} parameters")
    scale = [max((abs(row[j]) for row in rows), default=0.0) or 1.0 for j in range(width)]
    scaled = [[value / by for value, by in zip(row, scale, strict=True)] for row in rows]
    normal = [[sum(row[i] * row[j] for row in scaled) for j in range(width)] for i in range(width)]
    inverse = _inverse(normal)
    right = [sum(row[i] * value for row, value in zip(scaled, y, strict=True)) for i in range(width)]
    coefficients = [sum(a * b for a, b in zip(line, right, strict=True)) for line in inverse]
    fitted = (sum(a * b for a, b in zip(coefficients, row, strict=True)) for row in scaled)
    residuals = [value - by for value, by in zip(y, fitted, strict=True)]
    left = sum(each * each for each in residuals)
    mean = sum(y) / len(y)
    spread = sum((value - mean) ** 2 for value in y)
    variance = left / freedom
    return Fit(
        tuple(each / by for each, by in zip(coefficients, scale, strict=True)),
        tuple(tuple(variance * inverse[i][j] / (scale[i] * scale[j]) for j in range(width)) for i in range(width)),
        tuple(residuals),
        freedom,
        variance,
        1.0 - left / spread if spread > 0.0 else 0.0,
    )


def t_quantile(two_sided: float, freedom: float) -> float:
    """The t beyond which, on both sides, ``1 - two_sided`` of the distribution lies: 0.9 with 10 degrees: 1.812."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < two_sided:
        low, high = high, high * 2.0
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _within(middle, freedom) < two_sided else (low, middle)
    return high


def lag_one(residuals: Vector) -> float:
    """How much each residual resembles the one before it, -1 to 1."""
    total = sum(each * each for each in residuals)
    if total <= 0.0:
        return 0.0
    return sum(a * b for a, b in pairwise(residuals)) / total


def _within(t: float, freedom: float) -> float:
    """P(|T| < t), by Simpson's rule in the angle whose tangent is T over the root of the freedom."""
    angle = math.atan(t / math.sqrt(freedom))
    width = angle / _STEPS
    heights = [math.pow(math.cos(i * width), freedom - 1.0) for i in range(_STEPS + 1)]
    area = width / 3.0 * (heights[0] + heights[-1] + 4.0 * sum(heights[1:-1:2]) + 2.0 * sum(heights[2:-1:2]))
    log = math.lgamma((freedom + 1.0) / 2.0) - math.lgamma(freedom / 2.0)
    return 2.0 * math.exp(log) / math.sqrt(math.pi) * area


def _inverse(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """By elimination with the largest pivot. Raises Singular."""
    size = len(matrix)
    work = [[*line, *(float(i == j) for j in range(size))] for i, line in enumerate(matrix)]
    largest = max(abs(value) for line in matrix for value in line) or 1.0
    for column in range(size):
        pivot = max(range(column, size), key=lambda i: abs(work[i][column]))
        if abs(work[pivot][column]) <= _TINY * largest:
            raise Singular("two columns say the same")
        work[column], work[pivot] = work[pivot], work[column]
        by = work[column][column]
        work[column] = [value / by for value in work[column]]
        for i in range(size):
            if i != column and work[i][column]:
                factor = work[i][column]
                work[i] = [a - factor * b for a, b in zip(work[i], work[column], strict=True)]
    return [line[size:] for line in work]
