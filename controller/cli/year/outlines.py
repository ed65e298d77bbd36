"""Areas of one value as outlines: few elements, and no seam between the rows of a picture that is scaled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from controller.cli.year.nights import Band, Run


@dataclass(slots=True)
class _Column:
    """A run and those below it that touch it: bottom so far, then (height, left, right) from the top."""

    top: int
    bottom: int
    rows: list[tuple[int, int, int]]

    def continues(self, band: Band, run: Run) -> bool:
        """Whether ``run`` lies below the last row and touches it."""
        _, left, right = self.rows[-1]
        return self.bottom == band.top and left < run.right and run.left < right

    def add(self, band: Band, run: Run) -> None:
        """One row more; an equal one makes the last taller."""
        height, left, right = self.rows[-1]
        if (left, right) == (run.left, run.right):
            self.rows[-1] = (height + band.height, left, right)
        else:
            self.rows.append((band.height, run.left, run.right))
        self.bottom = band.top + band.height


def outlines(rows: Sequence[Band]) -> dict[Hashable, str]:
    """The path (``d`` of SVG, in minutes and halves of a night) that fills all runs of each value."""
    columns: defaultdict[Hashable, list[_Column]] = defaultdict(list)
    growing: dict[Hashable, list[_Column]] = {}
    for band in rows:
        below: defaultdict[Hashable, list[_Column]] = defaultdict(list)
        for run in band.runs:
            above = growing.get(run.value, [])
            column = next((each for each in above if each.continues(band, run)), None)
            if column is None:
                column = _Column(band.top, band.top + band.height, [(band.height, run.left, run.right)])
                columns[run.value].append(column)
            else:
                column.add(band, run)
            below[run.value].append(column)
        growing = below
    return {value: "".join(_path(each) for each in found) for value, found in columns.items()}


def _path(column: _Column) -> str:
    """Clockwise: along the top, down the right edges, up the left ones."""
    _, left, right = column.rows[0]
    down = _edge((height, right) for height, _, right in column.rows)
    up = _edge((-height, left) for height, left, _ in reversed(column.rows))
    last_left, last_right = column.rows[-1][1:]
    return f"M{left} {column.top}h{right - left}{down}h{last_left - last_right}{up}z"


def _edge(sides: Iterable[tuple[int, int]]) -> str:
    """Verticals of (height, x), joined by horizontals where x changes."""
    text, height_so_far, before = "", 0, None
    for height, x in sides:
        if before is None or x == before:
            height_so_far += height
        else:
            text += f"v{height_so_far}h{x - before}"
            height_so_far = height
        before = x
    return f"{text}v{height_so_far}"
