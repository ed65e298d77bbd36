"""What every part of the build needs: the document, what was found so far, and who may be referred to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from config.files import SiteFiles
from config.model import SiteFile
from config.problems import Findings, Spot, did_you_mean, known_words
from config.source import Document, Where
from config.tables import Row
from config.written import Written

Thing = TypeVar("Thing")

_MAPPINGS = {
    "bus": "buses", "calendar": "calendars", "lamp type": "lamp_types", "program": "programs",
    "plan": "plans", "occupancy": "occupancy", "signal": "signals",
}  # fmt: skip
_LISTS = {
    "device": "devices", "cabinet": "cabinets", "meter": "meters", "group": "groups", "building": "buildings",
    "photocell": "photocells", "presence sensor": "presence",
    "derogation": "derogations",
}  # fmt: skip


@dataclass(slots=True)
class Draft:
    """A site on its way from the files to the tree."""

    document: Document
    written: SiteFile
    files: SiteFiles
    findings: Findings
    doubtful: set[str] = field(default_factory=set)
    """Buses whose settings are wrong: what is missing there may only have been misspelt."""
    rows: dict[str, Row] = field(default_factory=dict)
    """The line of lamps.csv of each lamp."""
    _declared: dict[str, set[str]] = field(default_factory=dict)
    _taken: dict[tuple[str, str], Spot] = field(default_factory=dict)

    def spot(self, where: Where, *, at_key: bool = False) -> Spot:
        """The place of a value, or of its key, in site.yaml."""
        return self.document.spot(where, at_key=at_key)

    def error(self, where: Where, message: str, *, at_key: bool = False) -> None:
        """Note an error at a place in site.yaml, headed by that place's name."""
        self.findings.error(self.spot(where, at_key=at_key), f"{self.document.label(where)}: {message}")

    def warning(self, where: Where, message: str, *, at_key: bool = False) -> None:
        """Note a warning at a place in site.yaml, headed by that place's name."""
        self.findings.warning(self.spot(where, at_key=at_key), f"{self.document.label(where)}: {message}")

    def lamp_spot(self, lamp: str, column: str = "id") -> Spot:
        """The place of a lamp's cell in the inventory."""
        return self.rows[lamp].spot(column)

    def find(self, kind: str, name: str, known: Mapping[str, Thing], where: Where) -> Thing | None:
        """The thing that ``where`` refers to; an unknown name is an error, one that is itself wrong is not."""
        return self.find_at(kind, name, known, self.spot(where), self.document.label(where))

    def find_at(self, kind: str, name: str, known: Mapping[str, Thing], spot: Spot, label: str) -> Thing | None:
        """``find`` for a reference that stands in another file."""
        found = known.get(name)
        if found is None and name not in self.declared(kind):
            names = {*known, *self.declared(kind)}
            hint = did_you_mean(name, names) or ";"
            self.findings.error(spot, f'{label}: unknown {kind} "{name}"{hint} known: {known_words(names)}')
        return found

    def lacks(self, written: Written, *names: str) -> bool:
        """Whether none of ``names`` stands in a mapping of site.yaml, nor a key that may be one of them misspelt."""
        raw, allowed = self.document.at(written.where()), type(written).keys()
        return isinstance(raw, dict) and not any(key in names or key not in allowed for key in raw)

    def unique(self, kind: str, name: str, spot: Spot, label: str) -> bool:
        """Whether this is the first thing of that kind with that id; a second one is an error."""
        first = self._taken.setdefault((kind, name), spot)
        if first is spot:
            return True
        place = f"line {first.line}" if first.file == spot.file else str(first)
        self.findings.error(spot, f'{label}: {kind} "{name}" already exists in {place}')
        return False

    def declare(self, kind: str, names: set[str]) -> None:
        """Names that exist in a file, whether or not what they stand for is right."""
        self._declared.setdefault(kind, set()).update(names)

    def declared(self, kind: str) -> set[str]:
        """Every name of a kind that the files mention as existing."""
        if kind not in self._declared:
            self.declare(kind, self._named(kind))
        return self._declared[kind]

    def _named(self, kind: str) -> set[str]:
        if kind in _MAPPINGS:
            section = self.document.at((_MAPPINGS[kind],))
            return {str(key) for key in section} if isinstance(section, dict) else set()
        if kind == "segment":
            return {name for cabinet in self._items("cabinets") for name in _ids(cabinet.get("segments"))}
        return _ids(self.document.at((_LISTS[kind],))) if kind in _LISTS else set()

    def _items(self, section: str) -> list[dict[object, object]]:
        items = self.document.at((section,))
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _ids(items: object) -> set[str]:
    if not isinstance(items, list):
        return set()
    return {str(item["id"]) for item in items if isinstance(item, dict) and "id" in item}
