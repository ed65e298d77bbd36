"""The figures as tables, docs/energyplus.md between its two marks, and its plot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

from bench.energyplus.contest import Case
from bench.energyplus.tally import Day, Outcome
from bench.page import filled
from bench.process import ROOT
from bench.table import Table

PAGE, PLOT = ROOT / "docs" / "energyplus.md", ROOT / "docs" / "energyplus.svg"
USUAL = (
    Case(),
    Case(opening="mon-fri 07:00-13:00, sat 08:00-12:00"),
    Case(model="medium_office"),
    Case(weather="usa_co_denver"),
    Case(model="secondary_school", weather="usa_nj_newark", first=date(2023, 2, 5), last=date(2023, 2, 18)),
)
"""The case of the goal, then other hours, another building, another climate, all three at once."""


def tables(case: Case, outcomes: Sequence[Outcome]) -> list[Table]:
    """Totals and ratios against the first run, then day by day."""
    return [_totals(case, outcomes), _day_by_day(outcomes)]


def facts(case: Case, outcomes: Sequence[Outcome]) -> dict[str, object]:
    """The same for a program."""
    return {
        "model": case.model, "weather": case.weather, "from": case.first.isoformat(), "to": case.last.isoformat(),
        "hours": case.opening, "comfort_c": case.comfort_c,
        "runs": [
            {
                "name": each.name, "gas_kwh": round(each.gas_kwh, 1), "discomfort_kh": round(each.discomfort_kh, 2),
                "lowest_c": round(each.lowest_c, 2), "heating_gas_kwh": round(each.heating_gas_kwh, 1),
                "fans_kwh": round(each.fans_kwh, 1), "notes": dict(each.notes),
                "days": [_day_facts(day) for day in each.days],
            }
            for each in outcomes
        ],
    }  # fmt: skip


def write(ran: Sequence[tuple[Case, Sequence[Outcome]]]) -> None:
    """The page and the plot; the plot is of the first case."""
    from bench.energyplus.plot import draw

    parts = [table.markdown() for case, outcomes in ran for table in tables(case, outcomes)]
    made = f"EnergyPlus from pyenergyplus-lbnl {version('pyenergyplus-lbnl')}."
    PAGE.write_text(filled(PAGE.read_text(), "\n\n".join([*parts, made]) + "\n"))
    draw(ran[0][1], PLOT)


def _totals(case: Case, outcomes: Sequence[Outcome]) -> Table:
    own = outcomes[0]
    head = ("run", "gas kWh", "against the first", "K.h below comfort", "ratio", "lowest zone", "fans kWh")
    rows = tuple(
        (
            each.name,
            f"{each.gas_kwh:,.0f}",
            _percent(each.gas_kwh, own.gas_kwh),
            f"{each.discomfort_kh:.1f}",
            f"{each.discomfort_kh / own.discomfort_kh:.2f}" if own.discomfort_kh else "-",
            f"{each.lowest_c:.1f}",
            f"{each.fans_kwh:,.0f}",
        )
        for each in outcomes
    )
    took = ", ".join(f"{each.took_s:.0f} s" for each in outcomes)
    return Table("energyplus", case.title, head, rows, (f"The runs took {took}.",))


def _day_by_day(outcomes: Sequence[Outcome]) -> Table:
    head = ("day", "outside", *(f"{word}, {each.name}" for each in outcomes for word in ("kWh", "K.h", "lowest")))
    days = zip(*(each.days for each in outcomes), strict=True)
    rows = tuple((f"{same[0].day:%a %d %b}", f"{same[0].outdoor_c:.1f}", *_cells(same)) for same in days)
    return Table("energyplus", "Day by day", head, rows)


def _cells(days: Sequence[Day]) -> list[str]:
    return [cell for day in days for cell in (f"{day.gas_kwh:,.0f}", f"{day.discomfort_kh:.1f}", f"{day.lowest_c:.1f}")]


def _percent(ours: float, theirs: float) -> str:
    return f"{(ours / theirs - 1.0) * 100.0:+.1f} %" if theirs else "-"


def _day_facts(day: Day) -> dict[str, object]:
    return {
        "day": day.day.isoformat(), "gas_kwh": round(day.gas_kwh, 1), "discomfort_kh": round(day.discomfort_kh, 2),
        "lowest_c": round(day.lowest_c, 2), "outdoor_c": round(day.outdoor_c, 2),
    }  # fmt: skip
