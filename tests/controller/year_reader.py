"""Reads the picture of a year back: the shade at a night and a minute, the marks, the figures."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

SVG = "{http://www.w3.org/2000/svg}"
_COMMAND = re.compile(r"([Mhvz])(-?\d+)?(?: (-?\d+))?")


@dataclass
class Panel:
    """One panel: crossings of the vertical edges by value and half of a night."""

    element: ET.Element
    edges: dict[str, dict[int, list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.element.iter(f"{SVG}path"):
            value = path.get("data-level") or path.get("data-setpoint")
            if value is not None:
                self.edges[value] = crossings(path.attrib["d"])

    @property
    def targets(self) -> list[str]:
        return self.element.attrib["data-targets"].split()

    @property
    def figures(self) -> dict[str, float]:
        found = self.element.iter(f"{SVG}text")
        return {
            each.attrib["data-figure"]: float(each.attrib["data-value"])
            for each in found
            if "data-figure" in each.attrib
        }

    @property
    def words(self) -> list[str]:
        return [written(each) for each in self.element.iter(f"{SVG}text")]

    def bars(self, program: str) -> list[tuple[str, str]]:
        groups = (each for each in self.element.iter(f"{SVG}g") if each.get("data-program") == program)
        return [(bar.attrib["data-first"], bar.attrib["data-last"]) for group in groups for bar in group]

    def shown(self, half: int, minute: int) -> set[str]:
        """The values whose area covers the middle of a minute in a half of a night."""
        return {value for value, rows in self.edges.items() if sum(x <= minute for x in rows.get(half, ())) % 2}

    def at(self, instant: datetime, zone: ZoneInfo) -> set[str]:
        """The values at an instant; the second pass of an hour is looked up in the lower half of its row."""
        local = instant.astimezone(zone)
        evening = local.date() if local.hour >= 12 else local.date() - timedelta(days=1)
        row = (evening - date.fromisoformat(self.element.attrib["data-first"])).days
        return self.shown(2 * row + local.fold, (local.hour - 12) % 24 * 60 + local.minute)


class Picture:
    """A document, parsed; raises where it is not well-formed."""

    def __init__(self, text: str) -> None:
        self.root = ET.fromstring(text)  # noqa: S314 - our own document
        groups = list(self.root.iter(f"{SVG}g"))
        self.panels = [Panel(group) for group in groups if "data-panel" in group.attrib]
        self.marks = [
            (each.attrib["data-mark"], each.attrib["data-night"]) for each in groups if "data-mark" in each.attrib
        ]

    @property
    def words(self) -> str:
        return "\n".join(written(each) for each in self.root.iter(f"{SVG}text"))

    def panel(self, target: str) -> Panel:
        (found,) = (each for each in self.panels if target in each.targets)
        return found

    def points(self, angle_deg: float) -> list[tuple[float, float]]:
        """The points of a curve of the sun, in the picture's units from the corner of the rows."""
        (sun,) = (each for each in self.root.iter(f"{SVG}g") if each.get("id") == "sun")
        d = "".join(path.attrib["d"] for path in sun if path.get("data-angle") == f"{angle_deg:g}")
        pairs = [each.split() for each in re.split("[ML]", d) if each]
        return [(float(x), float(y)) for x, y in pairs]


def written(text: ET.Element) -> str:
    """The words of an element, without those that show when it is pointed at."""
    parts = [
        text.text,
        *(word for each in text for word in ("" if each.tag == f"{SVG}title" else each.text, each.tail)),
    ]
    return "".join(part or "" for part in parts)


def crossings(d: str) -> dict[int, list[int]]:
    """The x of every vertical edge of a path, by the half of a night that it passes."""
    rows: defaultdict[int, list[int]] = defaultdict(list)
    x = y = 0
    for command, first, second in _COMMAND.findall(d):
        if command == "M":
            x, y = int(first), int(second)
        elif command == "h":
            x += int(first)
        elif command == "v":
            for row in range(min(y, y + int(first)), max(y, y + int(first))):
                rows[row].append(x)
            y += int(first)
    return rows
