"""The strip chart of one group's night as inline SVG, noon to noon: commanded above, measured below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli.export.words import Words
from controller.cli.year.elements import element, text

LIT, DARK, HATCH, PAPER = "#e8a200", "#1b2440", "#8a8f9c", "#ffffff"
_SKY_NIGHT, _SKY_DAY, _RULE, _INK, _FAINT = "#dfe3ee", "#fbfaf4", "#9aa1b0", "#1d2330", "#5a6272"
_LEFT, _WIDTH, _TOP, _ROW, _GAP = 74.0, 640.0, 18.0, 30.0, 9.0
_TICK = timedelta(hours=3)
WIDTH, HEIGHT = _LEFT + _WIDTH + 6.0, _TOP + 2 * _ROW + _GAP + 20.0

Page = Mapping[str, Any]


class Axis:
    """Noon to noon, across."""

    def __init__(self, page: Page) -> None:
        self.zone = ZoneInfo(str(page["timezone"]))
        self.start, self.end = (datetime.fromisoformat(page[name]) for name in ("from", "to"))

    def x(self, at: datetime) -> float:
        """Where an instant lies."""
        share = (at - self.start) / (self.end - self.start)
        return _LEFT + _WIDTH * min(1.0, max(0.0, share))

    def span(self, entry: Page) -> tuple[float, float]:
        """Where a stretch begins, and how wide it is."""
        begin, end = (self.x(datetime.fromisoformat(entry[name])) for name in ("from", "to"))
        return begin, end - begin


def strip(page: Page, words: Words, mark: str) -> str:
    """The chart; ``mark`` makes the ids of this one its own."""
    axis = Axis(page)
    parts = [
        element("defs", [_hatch(mark)]),
        *_sky(axis, page),
        *_commanded(axis, page["commanded"], mark),
        *_measured(axis, page["measured"], mark),
        *_cuts(axis, page["cuts"], words),
        *_labels(words),
        *_ticks(axis),
    ]
    names = (words("commanded"), words("measured"), page["group"])
    return element(
        "svg",
        parts,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        xmlns="http://www.w3.org/2000/svg",
        aria_label=" ".join(str(name) for name in names),
        font_family="system-ui, Helvetica, Arial, sans-serif",
    )


def legend(words: Words, mark: str) -> str:
    """What the shades mean."""
    parts: list[str] = [element("defs", [_hatch(mark)])]
    x = 0.0
    for ink, name in ((LIT, "lit"), (DARK, "dark"), (f"url(#{mark})", "unknown"), (_SKY_NIGHT, "sun_down")):
        parts.append(element("rect", x=x, y=2.0, width=14.0, height=10.0, fill=ink, stroke=_RULE, stroke_width=0.5))
        parts.append(text(x + 19.0, 11.0, words(name), font_size=10, fill=_INK))
        x += 36.0 + 6.2 * len(words(name))
    return element(
        "svg", parts, viewBox=f"0 0 {WIDTH:g} 14", xmlns="http://www.w3.org/2000/svg",
        font_family="system-ui, Helvetica, Arial, sans-serif",
    )  # fmt: skip


def _hatch(mark: str) -> str:
    lines = [
        element("rect", width=5, height=5, fill="#eef0f4"),
        element("path", d="M0,5 L5,0", stroke=HATCH, stroke_width=1.2),
    ]
    return element("pattern", lines, id=mark, width=5, height=5, patternUnits="userSpaceOnUse")


def _sky(axis: Axis, page: Page) -> Iterator[str]:
    height = 2 * _ROW + _GAP + 8.0
    yield element("rect", x=_LEFT, y=_TOP - 4.0, width=_WIDTH, height=height, fill=_SKY_DAY)
    if page["sun_down"] is not None:
        x, width = axis.span(page["sun_down"])
        yield element("rect", x=x, y=_TOP - 4.0, width=width, height=height, fill=_SKY_NIGHT)


def _commanded(axis: Axis, entries: Sequence[Page], mark: str) -> Iterator[str]:
    """As high as the level; hatched where nobody commanded."""
    for entry in entries:
        x, width = axis.span(entry)
        level = entry["level"]
        if level is None:
            yield element("rect", x=x, y=_TOP, width=width, height=_ROW, fill=f"url(#{mark})")
            continue
        yield element("rect", x=x, y=_TOP, width=width, height=_ROW, fill=DARK)
        high = _ROW * min(100.0, float(level)) / 100.0
        if high > 0.0:
            yield element("rect", x=x, y=_TOP + _ROW - high, width=width, height=high, fill=LIT)
        if width > 30.0 and level > 0:
            inside = high > 14.0
            y = _TOP + _ROW - (5.0 if inside else high + 4.0)
            ink = _INK if inside else PAPER
            yield text(x + width / 2, y, f"{level:g} %", font_size=10, text_anchor="middle", fill=ink, font_weight=600)


def _measured(axis: Axis, entries: Sequence[Page], mark: str) -> Iterator[str]:
    """From below: the share that is lit, that is not measured, that is dark."""
    top = _TOP + _ROW + _GAP
    for entry in entries:
        x, width = axis.span(entry)
        whole = entry["lit"] + entry["dark"] + entry["unknown"]
        bottom = top + _ROW
        for name, ink in (("lit", LIT), ("unknown", f"url(#{mark})"), ("dark", DARK)):
            high = _ROW * entry[name] / whole if whole else 0.0
            if high > 0.0:
                bottom -= high
                yield element("rect", x=x, y=bottom, width=width, height=high, fill=ink)


def _cuts(axis: Axis, entries: Sequence[Page], words: Words) -> Iterator[str]:
    """A bracket over the cut that was decided."""
    for entry in entries:
        x, width = axis.span(entry)
        path = f"M{x:.1f},{_TOP - 1:g} v-5 h{width:.1f} v5"
        yield element("path", d=path, fill="none", stroke=_INK, stroke_width=1)
        if width > 36.0:
            yield text(x + width / 2, _TOP - 9.0, words("cut_band"), font_size=9, text_anchor="middle", fill=_INK)


def _labels(words: Words) -> Iterator[str]:
    for row, name in enumerate(("commanded", "measured")):
        y = _TOP + row * (_ROW + _GAP) + _ROW / 2 + 3.5
        yield text(_LEFT - 8.0, y, words(name), font_size=11, text_anchor="end", fill=_INK)


def _ticks(axis: Axis) -> Iterator[str]:
    """Every third hour by the clock: a night of the clock change has 23 or 25."""
    bottom = _TOP + 2 * _ROW + _GAP + 4.0
    at = axis.start
    while at <= axis.end:
        local = at.astimezone(axis.zone)
        if local.hour % 3 == 0:
            x = axis.x(at)
            yield element("path", d=f"M{x:.1f},{_TOP - 4:g} V{bottom + 3:g}", stroke=_RULE, stroke_width=0.6)
            yield text(x, bottom + 14.0, f"{local:%H}", font_size=10, text_anchor="middle", fill=_FAINT)
        at += timedelta(hours=1)
