"""docs/energyplus.svg: gas and discomfort day by day, and the temperatures, of the runs of one case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.energyplus.tally import Outcome

_COLOURS = ("#b8bfc6", "#d9a441", "#1f6f8b")
_INK = "#333333"


def draw(outcomes: Sequence[Outcome], file: Path) -> None:
    """One colour a run, the first one grey."""
    mpl.rcParams.update({"font.size": 9, "svg.hashsalt": "veilleuse", "text.color": _INK, "axes.edgecolor": "#b8bfc6"})
    figure = Figure(figsize=(9.0, 7.5), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, height_ratios=(3, 2, 3))
    _bars(top, outcomes, [[day.gas_kwh for day in each.days] for each in outcomes])
    top.set_title("gas of the building, kWh a day", loc="left")
    top.legend(frameon=False, fontsize=8)
    _bars(middle, outcomes, [[day.discomfort_kh for day in each.days] for each in outcomes])
    middle.set_title("K.h below the comfort in the hours, mean over the zones", loc="left")
    _lines(bottom, outcomes)
    figure.savefig(file, metadata={"Date": None})


def _bars(axes: Any, outcomes: Sequence[Outcome], values: Sequence[Sequence[float]]) -> None:  # noqa: ANN401
    width = 0.8 / len(outcomes)
    for place, (each, heights) in enumerate(zip(outcomes, values, strict=True)):
        left = [index + (place - (len(outcomes) - 1) / 2) * width for index in range(len(heights))]
        axes.bar(left, heights, width=width, color=_COLOURS[place % len(_COLOURS)], label=each.name)
    days = outcomes[0].days
    axes.set_xticks(range(len(days)), [f"{day.day:%a}\n{day.day:%d}" for day in days])
    axes.spines[["top", "right"]].set_visible(False)


def _lines(axes: Any, outcomes: Sequence[Outcome]) -> None:  # noqa: ANN401
    for place, each in enumerate(outcomes):
        times = [sample.at.replace(tzinfo=None) for sample in each.samples]
        axes.plot(times, [sample.zones_c for sample in each.samples], color=_COLOURS[place % len(_COLOURS)], lw=1.2)
    times = [sample.at.replace(tzinfo=None) for sample in outcomes[0].samples]
    axes.plot(times, [sample.outdoor_c for sample in outcomes[0].samples], color=_INK, lw=0.8, ls=":")
    axes.set_title("mean air temperature of the zones, and outside (dotted), degrees C", loc="left")
    axes.margins(x=0.0)
    axes.spines[["top", "right"]].set_visible(False)
