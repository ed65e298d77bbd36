"""EDE files (BIG-EU "Engineering Data Exchange", layouts 1 to 3): the list of a BACnet device's objects.

A maker or integrator hands out one line an object under a header line ``# keyname;device obj.-instance;object-name;
object-type;object-instance;description;...``. Columns are found by their titles, which differ from layout to layout
("commandable" became "settable"); without a header line the order of layout 2 counts. The companions of the file
(state texts, unit texts, object types) are not needed: numbers of the standard are known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drivers.bacnet.ede_table import Cell, decoded, rows
from drivers.bacnet.listing import ListedObject, object_type, unit_named
from drivers.profile_source import Problem, ProfileError

_TITLES: Mapping[str, tuple[str, ...]] = {
    "key": ("keyname",),
    "device": ("deviceobjinstance", "deviceobjectinstance", "deviceinstance"),
    "name": ("objectname",),
    "type": ("objecttype",),
    "instance": ("objectinstance",),
    "description": ("description", "objectdescription"),
    "default": ("presentvaluedefault",),
    "minimum": ("minpresentvalue",),
    "maximum": ("maxpresentvalue",),
    "settable": ("settable", "commandable", "writable"),
    "cov": ("supportscov",),
    "unit": ("unitcode", "units", "unit"),
}
_LAYOUT_2 = (
    "key", "device", "name", "type", "instance", "description", "default", "minimum", "maximum", "settable", "cov",
    "", "", "", "unit",
)  # fmt: skip
_NEEDED = {"name": "object-name", "type": "object-type", "instance": "object-instance"}
_YES = frozenset({"y", "yes", "true", "1", "x", "o", "oui", "j", "ja"})
_NO = frozenset({"n", "no", "false", "0", "non", "nein"})
_LAST_INSTANCE = 4_194_302


@dataclass(frozen=True, slots=True)
class Ede:
    """What a file lists; ``project`` is the name in its head, "" where it has none."""

    objects: tuple[ListedObject, ...]
    project: str = ""

    @property
    def devices(self) -> tuple[int, ...]:
        """Instances of the devices whose objects are listed, in the order of the file."""
        return tuple(dict.fromkeys(item.device for item in self.objects if item.device is not None))


def read_ede(path: Path) -> Ede:
    """Read a file. Raises ProfileError with everything that is wrong in it (file, line, column)."""
    try:
        text = decoded(path.read_bytes())
    except OSError as error:
        raise ProfileError([Problem(path, 1, 1, f"cannot be read: {error.strerror or error}")]) from error
    return parse_ede(text, path)


def parse_ede(text: str, file: Path) -> Ede:
    """The objects in the text of a file; ``file`` is named in errors. Raises ProfileError."""
    reader = _Reader(file)
    for row in rows(text):
        reader.take(row)
    if not reader.objects and not reader.problems:
        reader.problems.append(Problem(file, 1, 1, "no object is listed: is this an EDE file?"))
    if reader.problems:
        raise ProfileError(reader.problems)
    return Ede(tuple(reader.objects), reader.project)


@dataclass(slots=True)
class _Reader:
    file: Path
    project: str = ""
    columns: Sequence[str] = ()
    objects: list[ListedObject] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: dict[tuple[int | None, str, int], int] = field(default_factory=dict)

    def take(self, row: Sequence[Cell]) -> None:
        """The head's lines, the header line, comments, or one object."""
        first = row[0].text
        if titles := _titles(row):
            self._header(titles, row[0])
        elif first.startswith("#"):
            return
        elif re.sub(r"[^a-z]", "", first.lower()) == "projectname":
            self.project = row[1].text if len(row) > 1 else ""
        elif self.columns or _is_layout_2(row):
            self._object(dict(zip(self.columns or _LAYOUT_2, row, strict=False)), row[0])

    def _header(self, titles: Sequence[str], at: Cell) -> None:
        self.columns = titles
        missing = [title for name, title in _NEEDED.items() if name not in titles]
        if missing:
            self._wrong(at, f"the header line has no column {', '.join(missing)}")

    def _object(self, cells: Mapping[str, Cell], at: Cell) -> None:
        lacking = [title for name, title in _NEEDED.items() if name in self.columns and name not in cells]
        if lacking:
            self._wrong(at, f"the line ends before {', '.join(lacking)}")
        if lacking or any(name not in cells for name in _NEEDED):
            return
        kind, instance = self._type(cells["type"]), self._whole(cells["instance"], "object-instance")
        where = cells.get("device")
        device = self._whole(where, "device obj.-instance") if where is not None and where.text else None
        if (
            kind is None
            or instance is None
            or kind == "device"
            or (device is None and where is not None and where.text)
        ):
            return
        if (first := self.seen.setdefault((device, kind, instance), at.line)) != at.line:
            self._wrong(cells["instance"], f"{kind},{instance} stands in line {first} already")
            return
        self.objects.append(_listed(cells, device, kind, instance))

    def _type(self, cell: Cell) -> str | None:
        kind = object_type(cell.text)
        if kind is None:
            self._wrong(cell, f"object-type {cell.text!r} is neither a number nor the name of a BACnet object type")
        return kind

    def _whole(self, cell: Cell, title: str) -> int | None:
        if cell.text.isascii() and cell.text.isdigit() and int(cell.text) <= _LAST_INSTANCE:
            return int(cell.text)
        self._wrong(cell, f"{title} {cell.text!r} is not a whole number up to {_LAST_INSTANCE}")
        return None

    def _wrong(self, at: Cell, message: str) -> None:
        self.problems.append(Problem(self.file, at.line, at.column, message))


def _listed(cells: Mapping[str, Cell], device: int | None, kind: str, instance: int) -> ListedObject:
    def text(column: str) -> str:
        return cells[column].text if column in cells else ""

    return ListedObject(
        kind, instance, text("name") or text("key"), text("description"), unit_named(text("unit")), device,
        _flag(text("settable")), _flag(text("cov")),
        minimum=_number(text("minimum")), maximum=_number(text("maximum")), default=_number(text("default")),
    )  # fmt: skip


def _flag(text: str) -> bool | None:
    low = text.lower()
    return True if low in _YES else False if low in _NO else None


def _number(text: str) -> float | None:
    """A limit. Anything but a number ("-", "n/a", "active") says that there is none."""
    plain = text.replace(",", ".")
    return float(plain) if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", plain) else None


def _titles(row: Sequence[Cell]) -> list[str]:
    """Our names of the columns where a row is the header line ("" for a column that is not needed), else nothing."""
    plain = [re.sub(r"[^a-z]", "", cell.text.lower()) for cell in row]
    named = [next((name for name, titles in _TITLES.items() if title in titles), "") for title in plain]
    return named if len({"key", "name", "type", "instance", "description"} & set(named)) >= 3 else []


def _is_layout_2(row: Sequence[Cell]) -> bool:
    """A line of objects in a file without a header: numbers where layout 2 has the device, type and instance."""
    return len(row) >= 5 and all(row[i].text.isdigit() for i in (1, 3, 4))
