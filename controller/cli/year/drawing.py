"""One panel: heading, figures, the rows with their programs beside them, and what the shades and letters mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from controller.cli.year import inks
from controller.cli.year.elements import element, escaped, figure, shortened, text, titled, used
from controller.cli.year.frame import GAP, LANE_PX, LEFT, WIDTH, Frame
from controller.cli.year.nights import NIGHT, bands
from controller.cli.year.outlines import outlines
from controller.cli.year.panels import Figure, Kind, Panel, RuleNights, Setpoint

TOP = 104.0
"""From the top of a panel to its rows."""
_BELOW = 30.0
_LINE_PX = 17.0
_COLUMNS, _FIGURE_PX, _SWATCH_PX = 2, 124.0, 12.0
_TITLE_LETTERS, _WORDS_LETTERS, _MEMBER_LETTERS = 60, 118, 58


@dataclass(frozen=True, slots=True)
class Shade:
    """A value of the panel, its colour and its words."""

    value: Hashable
    ink: str
    words: str


def panel_height(frame: Frame, panel: Panel) -> float:
    """With the lines below the rows."""
    return TOP + frame.height + _BELOW + _LINE_PX * (1 + len(_programs(panel)) + _member_lines(panel))


def draw(frame: Frame, panel: Panel, x: float, y: float) -> str:
    """The panel with its upper left corner at (x, y)."""
    heading = element("g", _heading(panel))
    rows = element("g", _rows(frame, panel), transform=f"translate({LEFT:g} {TOP:g})")
    below = element("g", _below(panel), transform=f"translate({LEFT:g} {TOP + frame.height + _BELOW:g})")
    targets = " ".join(member.target for member in panel.members)
    return element(
        "g",
        [heading, rows, below],
        {"panel": panel.kind, "targets": targets, "first": frame.nights[0].day, "nights": len(frame.nights)},
        transform=f"translate({x:g} {y:g})",
    )


def shades(panel: Panel) -> list[Shade]:
    """The values of a panel from the lowest to the highest."""
    found = dict.fromkeys(stretch.value for stretch in panel.stretches)
    if panel.kind is Kind.SETPOINT:
        return _heat_shades([value for value in found if isinstance(value, Setpoint)])
    levels = sorted(value for value in found if isinstance(value, float | int))
    if panel.kind is Kind.CONTACTOR:
        return [Shade(level, inks.light(level), "closed" if level else "open") for level in levels]
    return [Shade(level, inks.light(level), f"{level:g} %" if level else "0 %, dark") for level in levels]


def _heat_shades(found: Sequence[Setpoint]) -> list[Shade]:
    low, high = min(each.celsius for each in found), max(each.celsius for each in found)
    ordered = sorted(found, key=lambda each: (each.celsius, each.allure))
    return [
        Shade(each, inks.heat((each.celsius - low) / (high - low or 1.0)), f"{each.allure} {each.celsius:g} °C")
        for each in ordered
    ]


def _heading(panel: Panel) -> Iterator[str]:
    names = ", ".join(member.target.partition("/")[2] for member in panel.members)
    title = element(
        "text",
        [titled(names), escaped(shortened(names, _TITLE_LETTERS))],
        x=LEFT,
        y=16,
        font_size=17,
        font_weight="bold",
    )
    yield title
    about = [panel.subject, *([panel.members[0].words] if len(panel.members) == 1 else [])]
    yield text(LEFT, 33, ", ".join(words for words in about if words), font_size=11, fill=inks.FAINT)
    for index, each in enumerate(panel.figures):
        yield from _figure(each, LEFT + index * _FIGURE_PX)


def _figure(each: Figure, x: float) -> Iterator[str]:
    value = element("tspan", [figure(each.value)], font_size=16, font_weight="bold")
    unit = element("tspan", [escaped(each.unit)], dx=4, font_size=11)
    yield element(
        "text",
        [value, unit],
        {"figure": each.words, "value": round(each.value, 1)},
        x=x,
        y=60,
        fill=inks.WRONG if each.wrong else inks.TEXT,
    )
    yield text(x, 74, each.words, font_size=10, fill=inks.FAINT)


def _rows(frame: Frame, panel: Panel) -> Iterator[str]:
    lit = panel.kind is not Kind.SETPOINT
    yield element("rect", width=WIDTH, height=frame.height, fill=inks.NIGHT)
    if lit:
        yield used("sky")
    paths = outlines(bands(frame.nights, panel.stretches))
    cells = [
        element("path", [titled(shade.words)], _cell(shade.value), fill=shade.ink, d=paths[shade.value])
        for shade in shades(panel)
        if shade.value in paths and (shade.value or not lit)
    ]
    yield element("g", cells, {"cells": panel.kind}, transform=frame.scale, shape_rendering="crispEdges")
    yield used("axes")
    if lit:
        yield used("sun")
    yield from _lanes(frame, panel)


def _cell(value: Hashable) -> dict[str, object]:
    if isinstance(value, Setpoint):
        return {"setpoint": value.celsius, "allure": value.allure}
    return {"level": f"{value:g}" if isinstance(value, float | int) else value}


def _programs(panel: Panel) -> list[str]:
    """Those that rules have run, in the order in which they first do."""
    return list(dict.fromkeys(each.program for each in panel.by_rule)) + ([""] if panel.default is not None else [])


def _lanes(frame: Frame, panel: Panel) -> Iterator[str]:
    """One lane a program beside the rows, a bar on the nights on which a rule has it run."""
    programs = [program for program in _programs(panel) if program]
    for lane, program in enumerate(programs):
        x = WIDTH + GAP + lane * LANE_PX
        yield text(
            x + LANE_PX / 2,
            -5.0,
            _letter(lane),
            font_size=10,
            text_anchor="middle",
            font_weight="bold",
            fill=_ink(lane),
        )
        bars = [_bar(frame, each) for each in panel.by_rule if each.program == program]
        yield element("rect", x=x + 1, width=LANE_PX - 2, height=frame.height, fill="#eef1f5")
        place = f"translate({x + 1:g} 0) scale({LANE_PX - 2:g} {frame.night_px / NIGHT:g})"
        yield element("g", bars, {"program": program}, fill=_ink(lane), transform=place, shape_rendering="crispEdges")


def _bar(frame: Frame, each: RuleNights) -> str:
    first, last = each.first.day, each.last.day
    days = f"{first:%a} {first}" if first == last else f"{first:%a} {first} to {last:%a} {last}"
    words = titled(f"{days}: {each.program} ({', '.join(dict.fromkeys(each.reasons))})")
    height = NIGHT * (each.last.row - each.first.row + 1)
    return element("rect", [words], {"first": first, "last": last}, y=NIGHT * each.first.row, width=1, height=height)


def _letter(lane: int) -> str:
    return chr(ord("a") + lane % 26)


def _ink(lane: int) -> str:
    return inks.LANES[lane % len(inks.LANES)]


def _below(panel: Panel) -> Iterator[str]:
    """The shades in one line, a line a program, the members in two columns."""
    x = 0.0
    for shade in shades(panel):
        yield element("rect", x=x, y=0, width=_SWATCH_PX * 1.6, height=_SWATCH_PX, fill=shade.ink, stroke=inks.RULE)
        yield text(x + _SWATCH_PX * 1.6 + 5, 10, shade.words, font_size=11)
        x += _SWATCH_PX * 1.6 + 18 + 6.4 * len(shade.words)
    y = _LINE_PX
    for lane, program in enumerate(_programs(panel)):
        y += _LINE_PX
        yield from _program_line(panel, lane, program, y)
    if len(panel.members) > 1:
        for index, member in enumerate(panel.members):
            at = (index % _COLUMNS * WIDTH * 0.66, y + _LINE_PX * (1 + index // _COLUMNS))
            yield from _member_line(member.target, member.words, at)


def _program_line(panel: Panel, lane: int, program: str, y: float) -> Iterator[str]:
    """Letter, program, on how many nights, by which rules."""
    if not program:
        ruled = sum(len(each.reasons) for each in panel.by_rule)
        yield element("rect", x=1, y=y - 9, width=10, height=10, fill="none", stroke=inks.FAINT, stroke_width=0.8)
        yield text(
            18, y, f"{panel.default}, all other nights" if ruled else f"{panel.default}, every night", font_size=11
        )
        return
    reasons = [reason for each in panel.by_rule if each.program == program for reason in each.reasons]
    counts = Counter(reason.partition(":")[0] for reason in reasons)
    by = ", ".join(f"{reason} {_times(count)}" for reason, count in counts.items())
    words = f"{program}, {len(reasons)} night{'s' if len(reasons) > 1 else ''}: {by}"
    yield element("rect", x=0, y=y - 10, width=12, height=12, fill=_ink(lane))
    yield text(6, y - 0.5, _letter(lane), font_size=9, font_weight="bold", fill=inks.PAPER, text_anchor="middle")
    yield element("text", [titled(words), escaped(shortened(words, _WORDS_LETTERS))], x=18, y=y, font_size=11)


def _times(count: int) -> str:
    return f"×{count}"


def _member_lines(panel: Panel) -> int:
    return -(-len(panel.members) // _COLUMNS) if len(panel.members) > 1 else 0


def _member_line(target: str, words: str, at: tuple[float, float]) -> Iterator[str]:
    identity = element("tspan", [escaped(shortened(target.partition("/")[2], 30))], font_weight="bold")
    rest = escaped(shortened(f"  {words}", _MEMBER_LETTERS))
    yield element("text", [identity, rest], x=at[0], y=at[1], font_size=11)
