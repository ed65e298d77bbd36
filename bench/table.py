"""What a case hands back: a table for people, and its figures for results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` are cells as text, as many as ``head``; ``figures`` are the numbers behind them."""

    case: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict)

    def text(self) -> str:
        """For a terminal: columns padded."""
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        lines = [_padded(row, widths) for row in (self.head, tuple("-" * width for width in widths), *self.rows)]
        return "\n".join([self.title, "", *lines, *(f"  {remark}" for remark in self.remarks)])

    def markdown(self) -> str:
        """For docs/performance.md."""
        rows = [_piped(row) for row in (self.head, ("---",) * len(self.head), *self.rows)]
        return "\n".join([f"### {self.title}", "", *rows, *(f"\n{remark}" for remark in self.remarks)])


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _piped(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
