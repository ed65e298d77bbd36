"""docs/performance.svg: CPU of the whole job by contestant, and age against the number of devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

_OURS, _THEIRS, _INK = "#1f6f8b", "#b8bfc6", "#333333"


def draw(tables: Sequence[Mapping[str, Any]], file: Path) -> None:
    """``tables`` are those of the whole job, the first one with all contestants."""
    mpl.rcParams.update({"font.size": 9, "svg.hashsalt": "veilleuse", "text.color": _INK, "axes.edgecolor": _THEIRS})
    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _costs(left, tables[0]["figures"])
    _sizes(right, [table["figures"] for table in tables if not table["figures"]["delay_ms"]])
    figure.savefig(file, metadata={"Date": None})


def _costs(axes: Any, figures: Mapping[str, Any]) -> None:  # noqa: ANN401 - the library has no types
    by_name: dict[str, list[float]] = {}
    for outcome in figures["outcomes"]:
        cost = outcome["cost"]
        by_name.setdefault(outcome["name"], []).append(cost["cpu_s"] / cost["span_s"] * 60)
    ordered = sorted(by_name.items(), key=lambda entry: -median(entry[1]))
    for place, (name, costs) in enumerate(ordered):
        middle = median(costs)
        axes.barh(place, middle, color=_OURS if name.startswith("veilleuse") else _THEIRS, height=0.6)
        axes.plot((min(costs), max(costs)), (place, place), color=_INK, linewidth=1)
        axes.text(max(costs), place, f"  {middle:.1f}", va="center")
    axes.set_yticks(range(len(ordered)), [name for name, _ in ordered])
    axes.set_title(f"{figures['devices']} devices: CPU-seconds per minute", loc="left")
    axes.set_xlim(0, max(max(costs) for costs in by_name.values()) * 1.15)
    axes.spines[["top", "right"]].set_visible(False)


def _sizes(axes: Any, sizes: Sequence[Mapping[str, Any]]) -> None:  # noqa: ANN401 - the library has no types
    names = dict.fromkeys(outcome["name"] for outcome in sizes[-1]["outcomes"])
    for name in names:
        points = [(size["devices"], _age_ms(size, name)) for size in sizes]
        colour = _OURS if name.startswith("veilleuse") else _THEIRS
        axes.plot(*zip(*points, strict=True), color=colour, marker="o", label=name)
    axes.axhline(250, color=_INK, linewidth=0.8, linestyle=":")
    axes.text(sizes[0]["devices"], 255, "limit at 500: 250 ms", va="bottom", fontsize=8)
    axes.set_title("age at the subscriber, p99 (ms)", loc="left")
    axes.set_xlabel("devices")
    axes.set_xticks([size["devices"] for size in sizes])
    axes.set_ylim(0, axes.get_ylim()[1] * 1.35)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _age_ms(size: Mapping[str, Any], name: str) -> float:
    ages: list[float] = [o["fresh"]["age_p99_s"] for o in size["outcomes"] if o["name"] == name]
    return median(ages) * 1000
