"""What all panels of a picture have in common: the sizes, the sky, the grid, the sun's curves, months and marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from controller.cli.year import inks
from controller.cli.year.elements import element, text, titled
from controller.cli.year.nights import NIGHT, Night, Stretch, bands, missing_hour
from controller.cli.year.outlines import outlines
from controller.cli.year.sky import Light, Mark, curves
from schedules.sun import CIVIL_DEG, SUNRISE_DEG, Place

HOUR_PX = 22.0
LANE_PX = 10.0
LEFT, RIGHT, GAP = 58.0, 152.0, 13.0
WIDTH = 24 * HOUR_PX
_TALL, _LOWEST_PX, _HIGHEST_PX = 730, 2.0, 14.0
_MONTHS_FROM = 62
_LABEL_PX, _LINE_PX = 26.0, 11.0
_SKIES = {Light.DAY: inks.DAY, Light.TWILIGHT: inks.TWILIGHT}


@dataclass(frozen=True, slots=True)
class Frame:
    """The nights of a picture and how large they are drawn; ``lanes`` is the room for programs beside them."""

    nights: Sequence[Night]
    lanes: int

    @property
    def night_px(self) -> float:
        """Height of a row: a year fills a page, a few nights do not."""
        return min(_HIGHEST_PX, max(_LOWEST_PX, round(2 * _TALL / len(self.nights)) / 2))

    @property
    def height(self) -> float:
        """Of the rows together."""
        return len(self.nights) * self.night_px

    @property
    def margin(self) -> float:
        """Where the labels to the right begin, from the left edge of the rows."""
        return WIDTH + (GAP + self.lanes * LANE_PX if self.lanes else 0.0) + GAP

    @property
    def panel_width(self) -> float:
        """Of a panel with its labels on both sides."""
        return LEFT + self.margin + RIGHT

    def y(self, halves: float) -> float:
        """From the top of the rows, of a height in halves of a night."""
        return halves / NIGHT * self.night_px

    @property
    def scale(self) -> str:
        """The transformation of minutes and halves of a night into the picture's units."""
        return f"scale({HOUR_PX / 60.0:.6g} {self.night_px / NIGHT:g})"


def shared(frame: Frame, place: Place, light: Sequence[Stretch], marks: Sequence[Mark]) -> str:
    """The definitions that each panel uses: ``sky``, ``axes`` and ``sun``."""
    sky = [
        element("path", (), {"sky": kind}, fill=_SKIES[kind], d=d)
        for kind, d in outlines(bands(frame.nights, light)).items()
        if isinstance(kind, Light)
    ]
    axes = [*_hours(frame), *_calendar(frame), *_bare(frame), *_marks(frame, marks)]
    sun = [part for angle_deg in (CIVIL_DEG, SUNRISE_DEG) for part in _curve(frame, place, angle_deg)]
    groups = [
        element("g", sky, id="sky", transform=frame.scale, shape_rendering="crispEdges"),
        element("g", axes, id="axes"),
        element("g", sun, id="sun", fill="none", stroke_linejoin="round"),
    ]
    return element("defs", groups)


def pen(angle_deg: float, d: str) -> Iterator[str]:
    """The path ``d`` as the curve of an angle: sunset and sunrise on a casing that shows on every shade."""
    if angle_deg == SUNRISE_DEG:
        yield element("path", d=d, stroke=inks.CASING, stroke_width=2.4, stroke_opacity=0.5)
        yield element("path", (), {"angle": f"{angle_deg:g}"}, d=d, stroke=inks.SUNSET, stroke_width=1.3)
    else:
        look = {"stroke": inks.CIVIL, "stroke_width": 1.1, "stroke_dasharray": "4 2.5"}
        yield element("path", (), {"angle": f"{angle_deg:g}"}, d=d, **look)


def _hours(frame: Frame) -> Iterator[str]:
    for hour in range(25):
        strong = hour % 3 == 0
        x = hour * HOUR_PX
        if 0 < hour < 24:
            yield _grid_line(x, 0.0, x, frame.height, opacity=0.6 if strong else 0.25)
        if strong:
            for y in (-5.0, frame.height + 12.0):
                yield text(x, y, f"{(hour + 12) % 24}h", font_size=10, text_anchor="middle", fill=inks.FAINT)


def _grid_line(x1: float, y1: float, x2: float, y2: float, opacity: float) -> str:
    look = {"stroke": inks.GRID, "stroke_width": 0.6, "stroke_opacity": opacity}
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **look)


def _calendar(frame: Frame) -> Iterator[str]:
    """Months to the left, Mondays where there are few nights."""
    days = [night.day for night in frame.nights]
    by_month = len(days) >= _MONTHS_FROM
    starts = [row for row, day in enumerate(days) if row == 0 or (day.day == 1 if by_month else day.weekday() == 0)]
    for row, end in zip(starts, [*starts[1:], len(days)], strict=True):
        top = row * frame.night_px
        if row:
            yield _grid_line(-6.0, top, WIDTH, top, opacity=0.6)
        middle = (row + end) / 2 * frame.night_px
        if by_month and (end - row) * frame.night_px >= _LINE_PX:
            yield text(-8.0, middle + 4.0, _month(days[row], row), font_size=11, text_anchor="end")
        elif not by_month:
            yield text(
                -8.0, top + 10.0, f"{days[row]:%a} {days[row].day} {days[row]:%b}", font_size=9, text_anchor="end"
            )


def _month(day: date, row: int) -> str:
    return f"{day:%b %Y}" if row == 0 or day.month == 1 else f"{day:%b}"


def _bare(frame: Frame) -> Iterator[str]:
    """Paper where there is no time: the hour that the clock leaps over."""
    for night in frame.nights:
        hole = missing_hour(night)
        if hole is not None:
            left, right = (minute * HOUR_PX / 60.0 for minute in hole)
            place = {"x": left, "y": night.row * frame.night_px, "width": right - left, "height": frame.night_px}
            yield element("rect", (), {"bare": night.day}, **place, fill=inks.PAPER)


def _marks(frame: Frame, marks: Sequence[Mark]) -> Iterator[str]:
    """A line across the rows at each mark, its words to the right; words that would touch are moved down."""
    free_from = -_LABEL_PX
    for mark in marks:
        y = (mark.night.row + 0.5) * frame.night_px
        label = max(y, free_from)
        free_from = label + _LABEL_PX
        parts = [
            titled(", ".join(mark.words)),
            element("path", d=f"M0 {y:g}h{WIDTH:g}", stroke=inks.PAPER, stroke_width=0.7, stroke_dasharray="1 3"),
            element(
                "path",
                d=f"M{WIDTH + 1:g} {y:g}H{frame.margin - 4:g}L{frame.margin + 2:g} {label:g}",
                fill="none",
                stroke=inks.TEXT,
                stroke_width=0.8,
            ),
            text(frame.margin + 5.0, label + 1.0, mark.words[0], font_size=10, font_weight="bold"),
            text(frame.margin + 5.0, label + 1.0 + _LINE_PX, mark.words[1], font_size=9.5, fill=inks.FAINT),
        ]
        yield element("g", parts, {"mark": mark.kind, "night": mark.night.day})


def _curve(frame: Frame, place: Place, angle_deg: float) -> Iterator[str]:
    d = "".join(_polyline(frame, part) for part in curves(frame.nights, place, angle_deg))
    if d:
        yield from pen(angle_deg, d)


def _polyline(frame: Frame, points: Sequence[tuple[float, float]]) -> str:
    placed = [f"{minute * HOUR_PX / 60.0:.1f} {frame.y(halves):g}" for minute, halves in points]
    return f"M{'L'.join(placed)}" if len(placed) > 1 else ""
