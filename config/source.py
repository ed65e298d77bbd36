"""A YAML 1.2 file as plain values that know where they stand.

Read from the parser's node tree rather than from its constructed objects: so every duplicate key is found, not
only the first, dates stay text, and each key and value can be traced to line and column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.problems import Findings, Spot

Where = tuple[str | int, ...]
"""Keys and list indexes from the top of the document: ``("devices", 0, "unit")``."""

_DEEPEST = 30
_LARGEST = 100_000
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NAMES = {".inf": "inf", "-.inf": "-inf", "+.inf": "inf", ".nan": "nan"}
_KNOWN_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")
}


class Placed(dict[str | int, object]):
    """A mapping that knows where it stood in the file, wherever it is moved afterwards."""

    __slots__ = ("where",)

    def __init__(self, items: Iterable[tuple[str | int, object]], where: Where) -> None:
        super().__init__(items)
        self.where = where


@dataclass(slots=True)
class Document:
    """One file: its plain ``value`` and the line and column of every key and value in it."""

    file: str
    value: object = None
    _values: dict[Where, tuple[int, int]] = field(default_factory=dict)
    _keys: dict[Where, tuple[int, int]] = field(default_factory=dict)

    def spot(self, where: Where, *, at_key: bool = False) -> Spot:
        """The place of a value (or of its key); of the nearest thing around it where it does not exist."""
        first, second = (self._keys, self._values) if at_key else (self._values, self._keys)
        for length in range(len(where), -1, -1):
            found = first.get(where[:length]) or second.get(where[:length])
            if found:
                return Spot(self.file, *found)
        return Spot(self.file, 1, 1)

    def label(self, where: Where) -> str:
        """``devices.cab-mairie.unit``: items of lists by their id, else by their place counted from 1."""
        words: list[str] = []
        here = self.value
        for part in where:
            item = isinstance(here, list) and isinstance(part, int)
            here = _child(here, part)
            name = here.get("id") if item and isinstance(here, dict) else None
            words.append(name if isinstance(name, str) else str(int(part) + 1 if item else part))
        return ".".join(words)

    def at(self, where: Where) -> object:
        """The plain value at a path; None where there is none."""
        here = self.value
        for part in where:
            here = _child(here, part)
        return here


def parse_yaml(file: str, text: str, findings: Findings) -> Document:
    """Read one document. What is wrong with it is noted; the value is None where nothing could be read."""
    document = Document(file)
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = Spot(file, mark.line + 1, mark.column + 1) if mark else Spot(file, 1, 1)
        findings.error(spot, f"not valid YAML: {_cause(error)}")
    except (YAMLError, RecursionError) as error:
        findings.error(Spot(file, 1, 1), f"not valid YAML: {str(error).splitlines()[0]}")
    else:
        if root is not None:
            document.value = _Reader(document, findings).plain(root, ())
    return document


@dataclass(slots=True)
class _Reader:
    document: Document
    findings: Findings
    nodes: int = 0

    def plain(self, node: Node, where: Where) -> object:
        self.document._values[where] = _position(node)  # noqa: SLF001 - the reader fills its document
        self.nodes += 1
        if len(where) > _DEEPEST or self.nodes > _LARGEST:
            if self.nodes <= _LARGEST + 1:
                self._error(node, "too deep or too large for a site file (aliases that contain each other?)")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, where)
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*where, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: MappingNode, where: Where) -> Placed:
        plain = Placed((), where)
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._error(key_node, "a key must be plain text or a number")
                continue
            key = self._key(key_node)
            path = (*where, key)
            if key in plain:
                first = self.document._keys[path][0]  # noqa: SLF001 - the reader fills its document
                self._error(key_node, f'duplicate key "{key}": it is already in line {first}')
                continue
            self.document._keys[path] = _position(key_node)  # noqa: SLF001 - the reader fills its document
            plain[key] = self.plain(value_node, path)
        return plain

    def _key(self, node: ScalarNode) -> str | int:
        value = self._scalar(node)
        return value if isinstance(value, int) and not isinstance(value, bool) else str(node.value)

    def _scalar(self, node: Node) -> object:
        tag, text = str(node.tag), str(node.value)
        if tag not in _KNOWN_TAGS:
            self._error(node, f"tag {tag} has no meaning here")
            return None
        kind = tag.rpartition(":")[2]
        try:
            return _SCALARS.get(kind, str)(text)
        except ValueError:
            self._error(node, f"{text!r} is not a value of type {kind}")
            return None

    def _error(self, node: Node, message: str) -> None:
        self.findings.error(Spot(self.document.file, *_position(node)), message)


def _integer(text: str) -> int:
    """YAML 1.2: decimal (leading zeros mean nothing), 0o17 and 0x1F; 1_000 is 1000."""
    return int(text, 0) if text.lstrip("+-")[:2].lower() in {"0o", "0x", "0b"} else int(text)


_SCALARS: dict[str, Callable[[str], object]] = {
    "int": _integer,
    "float": lambda text: float(_NAMES.get(text.lower(), text)),
    "bool": _BOOLEANS.__getitem__,
    "null": lambda text: None,
}


def _cause(error: MarkedYAMLError) -> str:
    """``found unexpected end of stream while scanning a quoted scalar from line 3``."""
    began = f" from line {error.context_mark.line + 1}" if error.context and error.context_mark else ""
    return " ".join(filter(None, (error.problem, error.context))) + began


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _child(value: object, part: str | int) -> object:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
