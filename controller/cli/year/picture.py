"""The whole picture: heading with the scale, the panels in a grid, and how to read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from config.site import Site
from controller.cli.year import inks
from controller.cli.year.drawing import draw, panel_height
from controller.cli.year.elements import document, element, text, titled
from controller.cli.year.frame import LEFT, Frame, pen, shared
from controller.cli.year.nights import nights_from
from controller.cli.year.panels import Kind, Panel, panels
from controller.cli.year.sky import daylight, marks
from controller.core.wiring import Wiring
from schedules.sun import CIVIL_DEG, SUNRISE_DEG

_EDGE, _HEAD, _FOOT, _BETWEEN = 20.0, 148.0, 84.0, 34.0
_FONTS = "'DejaVu Sans', Verdana, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
_FEW = 4
"""So many panels stand two in a row, more of them three."""
_READING = (
    "One row is one night, noon to noon by the wall clock. A ramp is one step, overrides and sensors are left out.",
    "Clock forward: the hour that does not exist is bare.",
    "Clock back: of the hour that occurs twice, the first pass is the upper half of the row, the second the lower one.",
)


def picture(site: Site, names: Sequence[str], first: date, count: int) -> str:
    """The nights from ``first`` of the targets ``names`` (as ``targets_of`` gives them) as one SVG document."""
    nights = nights_from(first, count, site.place.zone)
    light = daylight(nights, site.place)
    drawn = panels(Wiring(site), nights, light, names)
    lanes = max((len({each.program for each in panel.by_rule}) for panel in drawn), default=0)
    frame = Frame(nights, lanes)
    body, width, height = _placed(frame, drawn)
    reading = [
        text(_EDGE + LEFT, height - _FOOT + 30 + 15 * index, words, font_size=10.5, fill=inks.FAINT)
        for index, words in enumerate(_READING)
    ]
    content = [
        titled(_title(site, frame)),
        shared(frame, site.place, light, marks(nights, site.place)),
        element("rect", width=width, height=height, fill=inks.PAPER),
        *_heading(site, frame, drawn),
        *body,
        *reading,
    ]
    return document(content, width, height, font_family=_FONTS, fill=inks.TEXT, role="img")


def _placed(frame: Frame, drawn: Sequence[Panel]) -> tuple[list[str], float, float]:
    """The panels row by row, then the width and the height of the picture. Heating begins a row of its own."""
    lighting = [panel for panel in drawn if panel.kind is not Kind.SETPOINT]
    heating = [panel for panel in drawn if panel.kind is Kind.SETPOINT]
    most = max(len(lighting), len(heating), 1)
    columns = min(most, 2 if most <= _FEW else 3)
    across = frame.panel_width + _BETWEEN
    found, y = [], _HEAD
    for row in (part[at : at + columns] for part in (lighting, heating) for at in range(0, len(part), columns)):
        found += [draw(frame, panel, _EDGE + index * across, y) for index, panel in enumerate(row)]
        y += max(panel_height(frame, panel) for panel in row) + _BETWEEN
    return found, 2 * _EDGE + columns * across - _BETWEEN, y + _FOOT - _BETWEEN


def _title(site: Site, frame: Frame) -> str:
    first, last = frame.nights[0].day, frame.nights[-1].day
    return f"{site.name}, the nights from {first:%a} {first} to {last:%a} {last}"


def _heading(site: Site, frame: Frame, drawn: Sequence[Panel]) -> Iterator[str]:
    x = _EDGE + LEFT
    first, last, place = frame.nights[0].day, frame.nights[-1].day, site.place
    yield text(x, 38, site.name, font_size=24, font_weight="bold")
    nights = f"{len(frame.nights)} night{'s' if len(frame.nights) > 1 else ''}"
    yield text(x, 57, f"What will be commanded: {nights}, {first:%a} {first} to {last:%a} {last}", font_size=12)
    north, east = ("NS"[place.latitude < 0], "EW"[place.longitude < 0])
    where = f"{abs(place.latitude):g}° {north}, {abs(place.longitude):g}° {east}, {place.zone}"
    yield text(x, 73, f"{where}; configuration {site.config_hash[:8]}", font_size=10.5, fill=inks.FAINT)
    if any(panel.kind is not Kind.SETPOINT for panel in drawn):
        yield element("g", _scale(), transform=f"translate({x:g} 92)", font_size=10)


def _scale() -> Iterator[str]:
    """The level as shade, the sky behind lamps that are off, the sun's curves."""
    for level in range(1, 101):
        yield element(
            "rect", x=level * 2.4 - 2.4, width=min(4.8, 242.4 - level * 2.4), height=12, fill=inks.light(float(level))
        )
    for level, anchor in ((1, "start"), (25, "middle"), (50, "middle"), (75, "middle"), (100, "end")):
        yield text(level * 2.4 - (2.4 if level == 1 else 0.0), 25, f"{level} %", text_anchor=anchor)
    skies = ((inks.DAY, "day"), (inks.TWILIGHT, "twilight"), (inks.NIGHT, "night"))
    for index, (ink, words) in enumerate(skies):
        yield element("rect", x=262 + 48 * index, width=48, height=12, fill=ink)
        yield text(286 + 48 * index, 25, words, text_anchor="middle")
    yield text(411, 10, "lamps off")
    for y, angle_deg, words in ((6, SUNRISE_DEG, "sunset, sunrise"), (21, CIVIL_DEG, "civil twilight")):
        yield from pen(angle_deg, f"M486 {y}h26")
        yield text(518, y + 4, words)
