"""What a building saves against its own past: the baseline, the interval, and the words for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from config.problems import Findings
from config.site import Building
from config.tables import parse_table
from controller.cli.export.heat import weather_of
from controller.cli.export.heat_rows import Asked, Days, Evidence
from controller.core.metering.baseline import (
    CONFIDENCE,
    LEAST_MONTHS,
    Baseline,
    Coefficient,
    Period,
    Savings,
    Step,
    TooShort,
    baseline,
    savings,
    summer_kwh_day,
)
from controller.core.metering.periods import day_periods, month_periods, night_ratio, weekend_ratio

Facts = dict[str, Any]


def savings_of(evidence: Evidence, asked: Asked) -> list[Facts]:
    """One report a building; a building that has not enough says so in ``verdict``."""
    return [_report(evidence, asked, building) for building in evidence.buildings(asked.of)]


def lines(report: Facts) -> Iterator[str]:
    """A report for a terminal."""
    yield f"{report['building']}: {report['energy']}, by the {report['step']}"
    yield from (f"  event      {each['date']} {each['note']}: not of the weather" for each in report["events"])
    if "baseline" in report:
        model, shown = report["baseline"], report["baseline"]["coefficients"]
        yield f"  baseline   {model['periods']} {report['step']}s from {model['from']} to {model['to']}"
        yield (
            f"  model      {_words(shown['base_load'])} kWh a day + {_words(shown['signature'])} kWh a degree-day"
            f" below {model['base_c']} C{_occupied(shown)}"
        )
        yield (
            f"  fit        R2 {model['r2']:.3f}, adjusted {model['adjusted_r2']:.3f}, CV(RMSE) {model['cv_rmse']:.1%},"
            f" autocorrelation {model['lag']:.2f} ({model['effective']:.1f} independent {report['step']}s)"
        )
        yield from (f"  weak       {words}" for words in model["weaknesses"])
    if "saved_kwh" in report:
        yield f"  reporting  {report['periods']} {report['step']}s from {report['from']} to {report['to']}"
        yield (
            f"  saved      {report['saved_kwh']:.0f} kWh +- {report['margin_kwh']:.0f} (90 %):"
            f" {report['predicted_kwh']:.0f} expected, {report['measured_kwh']:.0f} measured"
        )
    yield f"  verdict    {report['verdict']}"
    for name, words in (("summer_kwh_day", "kWh a day in months without heating"), ("night_ratio", "night against day"),
                        ("weekend_ratio", "weekend against weekdays")):  # fmt: skip
        if report[name] is not None:
            yield f"  figure     {report[name]:.2f} {words}"
    yield f"  weather    {report['weather']}"


def _report(evidence: Evidence, asked: Asked, building: Building) -> Facts:
    step = Step(asked.by)
    hours = evidence.building_hours(building.id, asked.days)
    source = asked.source or _source(evidence, building)
    report: Facts = {
        "building": building.id,
        "energy": source,
        "step": step.value,
        "confidence": CONFIDENCE,
        "weather": weather_of(building),
        "night_ratio": night_ratio(hours, source, evidence.zone),
        "weekend_ratio": weekend_ratio(hours, source, evidence.zone),
        "summer_kwh_day": None,
        "events": _events(asked.events, building.id),
    }
    before, after = _periods(evidence, asked, building, source, step)
    report["summer_kwh_day"] = summer_kwh_day(after or before)
    try:
        model = baseline(before, step)
        report["baseline"] = _model(model, before)
        saved = savings(model, after)
    except TooShort as error:
        report["verdict"] = str(error)
        return report
    return report | _saved(saved, after)


def _events(file: Path | None, building: str) -> list[dict[str, str]]:
    """What happened to the building, from the file; for the reader to weigh, nothing is left out for it."""
    if file is None:
        return []
    findings = Findings()
    try:
        rows = parse_table(str(file), file.read_text(encoding="utf-8"), ("date", "building", "note"), (), findings)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from error
    if findings.failed:
        raise click.ClickException("\n".join(str(problem) for problem in findings.ordered()))
    return [
        {name: row.cells.get(name, "") for name in ("date", "note")}
        for row in rows
        if row.cells.get("building") == building
    ]


def _source(evidence: Evidence, building: Building) -> str:
    """What of the building is counted: gas before heat before what there is."""
    every = (date(1970, 1, 1), date(2199, 12, 31))
    found: set[str] = set()
    for _, figures, _ in evidence.months(f"building/{building.id}", every):
        found.update(figures["energy_kwh"])
    for source in ("gas", "heat", "oil", "wood", "electricity"):
        if source in found:
            return source
    raise click.ClickException(f"building/{building.id}: no energy was counted yet")


def _periods(
    evidence: Evidence, asked: Asked, building: Building, source: str, step: Step
) -> tuple[list[Period], list[Period]]:
    """Before and after. Without dates the first twelve months, or the first year of days, and the rest."""
    known = _all_periods(evidence, building, source, step)
    if asked.baseline is not None:
        first, last = (_label(day, step) for day in asked.baseline)
        before = [period for period in known if first <= period.label <= last]
    elif asked.first is not None:
        before = [period for period in known if period.label < _label(asked.first, step)]
    else:
        before = known[: LEAST_MONTHS if step is Step.MONTH else 365]
    reporting = tuple(_label(day, step) for day in asked.days)
    used = {period.label for period in before}
    return before, [each for each in known if each.label not in used and reporting[0] <= each.label <= reporting[1]]


def _all_periods(evidence: Evidence, building: Building, source: str, step: Step) -> list[Period]:
    every: Days = (date(1970, 1, 1), date(2199, 12, 31))
    if step is Step.DAY:
        zones = [evidence.zone_hours(zone, every) for zone in building.zones]
        return day_periods(evidence.building_hours(building.id, every), zones, source, evidence.zone)
    occupied: dict[str, float] = {}
    for zone in building.zones:
        for month, figures, _ in evidence.months(f"zone/{zone}", every):
            occupied[month] = max(occupied.get(month, 0.0), float(figures["occupied_days"]))
    closed = ((m, figures) for m, figures, is_closed in evidence.months(f"building/{building.id}", every) if is_closed)
    return month_periods(closed, occupied, source)


def _label(day: date, step: Step) -> str:
    return f"{day:%Y-%m}" if step is Step.MONTH else day.isoformat()


def _model(model: Baseline, periods: Sequence[Period]) -> Facts:
    occupied = None if model.occupied is None else _coefficient(model.occupied)
    return {
        "from": periods[0].label,
        "to": periods[-1].label,
        "periods": model.periods,
        "base_c": model.base_c,
        "coefficients": {
            "base_load": _coefficient(model.base_load),
            "signature": _coefficient(model.signature),
            "occupied": occupied,
        },
        "r2": round(model.r2, 4),
        "adjusted_r2": round(model.adjusted_r2, 4),
        "cv_rmse": round(model.cv_rmse, 4),
        "lag": round(model.lag, 3),
        "effective": round(model.effective, 1),
        "weaknesses": list(model.weaknesses),
    }


def _saved(saved: Savings, periods: Sequence[Period]) -> Facts:
    return {
        "from": periods[0].label,
        "to": periods[-1].label,
        "periods": saved.periods,
        "predicted_kwh": round(saved.predicted_kwh, 1),
        "measured_kwh": round(saved.measured_kwh, 1),
        "saved_kwh": round(saved.saved_kwh, 1),
        "margin_kwh": round(saved.margin_kwh, 1),
        "significant": saved.significant,
        "verdict": saved.verdict,
    }


def _coefficient(found: Coefficient) -> dict[str, float | None]:
    t = found.value / found.error if found.error > 0.0 else None
    return {"value": round(found.value, 3), "error": round(found.error, 3), "t": None if t is None else round(t, 2)}


def _words(found: dict[str, float]) -> str:
    return f"{found['value']:.1f} (+- {found['error']:.1f})"


def _occupied(shown: Facts) -> str:
    return "" if shown["occupied"] is None else f" + {_words(shown['occupied'])} kWh an occupied day"
