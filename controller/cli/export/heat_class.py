"""The classes of EN ISO 52120-1 by function, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from config.site import Building, Site
from controller.cli.status import aligned
from controller.core.heating.iso52120 import DECLARED, Assessment, assess
from controller.core.wiring import Wiring

COLUMNS = ("building", "function", "title", "level", "class", "letter_from_memory", "because", "missing")


def assessments(town: Site, buildings: Sequence[Building]) -> list[Assessment]:
    """One a building."""
    wiring = Wiring(town)
    return [assess(wiring, building) for building in buildings]


def facts(found: Assessment) -> dict[str, Any]:
    """For scripts."""
    return {
        "building": found.building,
        "use": found.use,
        "standard": "EN ISO 52120-1",
        "status": DECLARED,
        "class": found.letter,
        "at_best": bool(found.unknown),
        "not_known": list(found.unknown),
        "held_back_by": list(found.holds_back),
        "factor": found.factor,
        "functions": [row | {"building": found.building} for row in rows(found)],
    }


def rows(found: Assessment) -> list[dict[str, object]]:
    """One a function."""
    return [
        {
            "building": found.building,
            "function": each.number,
            "title": each.title,
            "level": each.level,
            "class": each.letter,
            "letter_from_memory": each.letter_from_memory,
            "because": each.because,
            "missing": each.missing or None,
        }
        for each in found.functions
    ]


def lines(found: Assessment) -> Iterator[str]:
    """For a terminal."""
    factor = "" if found.factor is None else f", {found.factor:.2f} of the heat of class C ({found.use})"
    held = f", held back by {', '.join(found.holds_back)}" if found.holds_back else ""
    best = f" at best, not known: {', '.join(found.unknown)}" if found.unknown else ""
    yield f"{found.building}: class {found.letter}{best}{held}{factor}"
    yield f"  EN ISO 52120-1, heating: {DECLARED}"
    table: list[Sequence[str]] = [("  function", "", "class", "because", "for the next class")]
    for each in found.functions:
        letter = f"{each.letter} *" if each.letter_from_memory and each.letter in "ABCD" else each.letter
        table.append((f"  {each.number}", each.title, letter, each.because, each.missing))
    yield from aligned(table)
    yield "  *: the letter of this level was not checked against the text of the standard; ?: not known, -: none"
