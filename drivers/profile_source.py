"""A profile file as plain values with the position of each: YAML 1.2, duplicate keys and anchors refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Where = tuple[str | int, ...]
"""Keys and list indexes from the top of the document, e.g. ``("points", "door", "address")``."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file; line and column count from 1."""

    file: Path
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class ProfileError(ValueError):
    """A profile that cannot be used; ``problems`` are all that were found, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Document:
    """The plain values of a file and the problems found in it so far."""

    file: Path
    value: object = None
    keys: dict[Where, Node] = field(default_factory=dict)
    values: dict[Where, Node] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def report(self, where: Where, message: str, *, at_key: bool = False) -> None:
        """Note a problem at the value (or the key) of ``where``, or at the nearest thing around it."""
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        node = next(
            (n for path in _outwards(where) for n in (first.get(path), second.get(path)) if n is not None),
            None,
        )
        self._add(node, message)

    def read(self, text: str) -> None:
        """Fill ``value`` and the positions from ``text``; problems are noted, never raised."""
        yaml = YAML(typ="safe", pure=True)
        try:
            root = yaml.compose(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            self.problems.append(Problem(self.file, line + 1, column + 1, str(error.problem or error.context)))
            return
        except YAMLError as error:
            self.problems.append(Problem(self.file, 1, 1, str(error).splitlines()[0]))
            return
        if root is not None:
            self.value = self._plain(root, (), yaml, set())

    def _plain(self, node: Node, where: Where, yaml: YAML, seen: set[int]) -> object:
        self.values[where] = node
        if id(node) in seen:
            self._add(node, "anchors and aliases are not used in profiles: write the value out")
            return None
        seen.add(id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, where, yaml, seen)
        if isinstance(node, SequenceNode):
            return [self._plain(item, (*where, i), yaml, seen) for i, item in enumerate(node.value)]
        return self._scalar(node, yaml)

    def _mapping(self, node: MappingNode, where: Where, yaml: YAML, seen: set[int]) -> dict[str, object]:
        plain: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._add(key, "a key must be plain text")
                continue
            name = str(key.value)
            if name in plain:
                first = self.keys[(*where, name)].start_mark.line + 1
                self._add(key, f"duplicate key {name!r}: it stands in line {first} already")
                continue
            self.keys[(*where, name)] = key
            plain[name] = self._plain(value, (*where, name), yaml, seen)
        return plain

    def _scalar(self, node: Node, yaml: YAML) -> object:
        try:
            value: object = yaml.constructor.construct_object(node)
        except (ValueError, YAMLError):
            self._add(node, f"{node.value!r} is not a value that is understood here")
            return None
        return value

    def _add(self, node: Node | None, message: str) -> None:
        line, column = (node.start_mark.line, node.start_mark.column) if node is not None else (0, 0)
        self.problems.append(Problem(self.file, line + 1, column + 1, message))


def read_document(path: Path) -> Document:
    """Read one file. A file that cannot be read is a problem of the document, not an exception."""
    document = Document(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        document.problems.append(Problem(path, 1, 1, f"cannot be read: {error.strerror or error}"))
    except UnicodeDecodeError:
        document.problems.append(Problem(path, 1, 1, "is not UTF-8 text"))
    else:
        document.read(text)
    return document


def _outwards(where: Where) -> Iterator[Where]:
    """``where`` itself, then what encloses it, up to the whole document."""
    return (where[:length] for length in range(len(where), -1, -1))
