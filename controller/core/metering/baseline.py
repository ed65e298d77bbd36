"""Energy before and after (IPMVP option C): a baseline by degree-days and occupied days, and savings with their doubt.

``E = a * days + b * DJU(base) + c * occupied days`` is fitted by least squares on periods (months or days) before a
change; the base temperature is searched from 10 to 20 degrees C (a change point: three parameters), and c is taken
only where it makes the adjusted R2 better. Savings are what the baseline would have used in the weather and with the
occupancy of the reporting periods, less what was measured. Their interval holds the scatter of the residuals and what
is not known of the coefficients, widened for residuals that resemble their neighbours (ASHRAE Guideline 14: n' = n
(1 - r) / (1 + r)).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.core.metering.regression import Fit, Singular, fit, lag_one, t_quantile

CONFIDENCE = 0.90
LEAST_MONTHS, LEAST_DAYS = 12, 60
MOST_CV, LEAST_R2 = 0.25, 0.75
"""Beyond these a baseline is said to be weak (IPMVP, CalTRACK); it is the interval that counts."""
_MOST_LAG = 0.95


class Step(StrEnum):
    """How long one period is."""

    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Period:
    """One month or day: what it used, and what it is explained by."""

    label: str
    days: float
    energy_kwh: float
    degree_days: Mapping[int, float]
    """By base, degrees C."""
    occupied_days: float


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A value with its standard error, and the t that comes of both."""

    value: float
    error: float

    @property
    def t(self) -> float:
        """How many standard errors it is from nothing."""
        return self.value / self.error if self.error > 0.0 else math.copysign(math.inf, self.value)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A fitted one: kWh a day as ``base_load``, a degree-day as ``signature``, an occupied day as ``occupied``."""

    step: Step
    periods: int
    base_c: int
    base_load: Coefficient
    signature: Coefficient
    occupied: Coefficient | None
    r2: float
    adjusted_r2: float
    cv_rmse: float
    lag: float
    """Autocorrelation of the residuals."""
    effective: float
    """How many independent periods these are worth."""
    fit: Fit

    def row(self, period: Period) -> tuple[float, ...]:
        """The columns of a period."""
        return _row(period, self.base_c, self.occupied is not None)

    def predicted_kwh(self, period: Period) -> float:
        """What it would have used."""
        return self.fit.predicted(self.row(period))

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What is to be said against it."""
        words = []
        if self.cv_rmse > MOST_CV:
            words.append(f"CV(RMSE) {self.cv_rmse:.0%} is above {MOST_CV:.0%}")
        if self.r2 < LEAST_R2:
            words.append(f"R2 {self.r2:.2f} is below {LEAST_R2}")
        if self.signature.value <= 0.0 or self.signature.t < 2.0:
            words.append("the energy does not follow the degree-days")
        if self.base_load.value < -2.0 * self.base_load.error:
            words.append("the load without heating comes out negative")
        return tuple(words)


@dataclass(frozen=True, slots=True)
class Savings:
    """What was saved in the reporting periods; ``margin_kwh`` is half the 90 % interval."""

    periods: int
    predicted_kwh: float
    measured_kwh: float
    margin_kwh: float

    @property
    def saved_kwh(self) -> float:
        """Negative: more was used."""
        return self.predicted_kwh - self.measured_kwh

    @property
    def significant(self) -> bool:
        """Whether the interval leaves nothing out."""
        return abs(self.saved_kwh) > self.margin_kwh

    @property
    def verdict(self) -> str:
        """In words."""
        share = f"{abs(self.saved_kwh) / self.predicted_kwh:.0%}" if self.predicted_kwh > 0.0 else "an unknown share"
        if not self.significant:
            return "not significant: within what the baseline cannot know, nothing is proved saved or wasted"
        return f"significant: {share} {'saved' if self.saved_kwh > 0.0 else 'more used'}, at 90 % confidence"


class TooShort(ValueError):
    """There are not enough periods to say anything."""


def baseline(periods: Sequence[Period], step: Step) -> Baseline:
    """The best of the baselines over these periods. Raises TooShort, also where they are all alike."""
    least = LEAST_MONTHS if step is Step.MONTH else LEAST_DAYS
    if len(periods) < least:
        raise TooShort(f"too short: {len(periods)} {step}s with energy and weather known, at least {least} are needed")
    bases = sorted(set.intersection(*(set(period.degree_days) for period in periods)))
    found = [each for base in bases for occupied in (False, True) if (each := _fitted(periods, step, base, occupied))]
    if not found:
        raise TooShort("too alike: no degree-days to tell heating from the rest")
    return max(found, key=lambda each: each.adjusted_r2)


def savings(model: Baseline, periods: Sequence[Period]) -> Savings:
    """Against ``model`` in these periods, their weather and their occupied days. Raises TooShort without any."""
    if not periods:
        raise TooShort("too short: no reporting period with energy and weather known")
    rows = [model.row(period) for period in periods]
    summed = [sum(column) for column in zip(*rows, strict=True)]
    widened = model.periods / model.effective
    variance = (len(periods) * model.fit.variance + model.fit.leverage(summed)) * widened
    freedom = max(1.0, model.effective - (model.periods - model.fit.freedom))
    return Savings(
        len(periods),
        sum(model.fit.predicted(row) for row in rows),
        sum(period.energy_kwh for period in periods),
        t_quantile(CONFIDENCE, freedom) * math.sqrt(max(0.0, variance)),
    )


def ratio(parts: Iterable[tuple[float | None, bool]]) -> float | None:
    """Mean of what is marked over mean of what is not: a night or weekend ratio. None where one of them is unknown."""
    known = [(value, marked) for value, marked in parts if value is not None]
    marked = [value for value, is_marked in known if is_marked]
    others = [value for value, is_marked in known if not is_marked]
    if not marked or not others or sum(others) <= 0.0:
        return None
    return (sum(marked) / len(marked)) / (sum(others) / len(others))


def summer_kwh_day(periods: Iterable[Period]) -> float | None:
    """kWh a day in the periods with less than one degree-day a day (base 18): the load of the summer."""
    mild = [each for each in periods if each.degree_days.get(18, math.inf) < each.days]
    days = sum(each.days for each in mild)
    return sum(each.energy_kwh for each in mild) / days if days > 0.0 else None


def _fitted(periods: Sequence[Period], step: Step, base_c: int, occupied: bool) -> Baseline | None:
    rows = [_row(period, base_c, occupied) for period in periods]
    energies = [period.energy_kwh for period in periods]
    mean = sum(energies) / len(energies)
    try:
        found = fit(rows, energies, spent=1)  # the base was chosen, too
    except Singular:
        return None
    if mean <= 0.0:
        return None
    count = len(periods)
    lag = max(0.0, min(_MOST_LAG, lag_one(found.residuals)))
    a, b, *c = (Coefficient(value, error) for value, error in zip(found.coefficients, found.errors, strict=True))
    return Baseline(
        step,
        count,
        base_c,
        a,
        b,
        c[0] if c else None,
        found.r2,
        1.0 - (1.0 - found.r2) * (count - 1) / found.freedom,
        math.sqrt(found.variance) / mean,
        lag,
        count * (1.0 - lag) / (1.0 + lag),
        found,
    )


def _row(period: Period, base_c: int, occupied: bool) -> tuple[float, ...]:
    columns = (period.days, period.degree_days[base_c])
    return (*columns, period.occupied_days) if occupied else columns
