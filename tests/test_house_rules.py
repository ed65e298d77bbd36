"""What the style of the house says about the whole tree, as far as it can be counted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("controller", "drivers", "schedules", "config", "sim")
PURE = ("schedules", "controller/core")
IMPURE = re.compile(r"await|datetime\.now|time\.time|logging|structlog")
VAGUE = {"utils", "helpers", "common", "manager", "handler", "processor", "data", "info"}
MODULE_LINES, FUNCTION_LINES, BROAD_EXCEPTS = 400, 50, 3


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def named(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def is_broad(handler: ast.ExceptHandler) -> bool:
    """``except:``, ``except Exception``, ``except BaseException``, alone or in a tuple."""
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in caught)


def broad_excepts(tree: ast.AST) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and is_broad(node)]


def long_functions(tree: ast.AST) -> list[tuple[int, str, int]]:
    """(line, name, length) of the functions over the ceiling, decorators not counted."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = [(node.lineno, node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions]
    return [entry for entry in lengths if entry[2] > FUNCTION_LINES]


@pytest.mark.parametrize("folder", PURE)
def test_pure_folders_hold_no_clock_log_or_await(folder: str) -> None:
    hits = [
        f"{named(path, number)}: {line.strip()}"
        for path in sources(folder)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if IMPURE.search(line)
    ]
    assert hits == []


def test_no_module_over_the_ceiling() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources(*PACKAGES)}
    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_no_function_over_the_ceiling() -> None:
    found = [
        f"{named(path, line)} {name} ({length} lines)"
        for path in sources(*PACKAGES)
        for line, name, length in long_functions(ast.parse(path.read_text()))
    ]
    assert found == []


def test_broad_excepts_only_at_the_supervision_points() -> None:
    found = [named(path, line) for path in sources(*PACKAGES) for line in broad_excepts(ast.parse(path.read_text()))]
    assert len(found) <= BROAD_EXCEPTS, found


def test_names_say_what_a_module_does() -> None:
    assert [str(path) for path in sources(*PACKAGES) if set(path.stem.split("_")) & VAGUE] == []


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in sources("tests")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize(
    "text",
    ["try: f()\nexcept: g()", "try: f()\nexcept Exception: g()", "try: f()\nexcept (OSError, BaseException) as e: g()"],
)
def test_a_broad_except_is_seen(text: str) -> None:
    assert broad_excepts(ast.parse(text)) == [2]


def test_a_narrow_except_is_none() -> None:
    assert broad_excepts(ast.parse("try: f()\nexcept (OSError, ValueError): g()")) == []


def test_a_long_function_is_seen() -> None:
    body = "\n".join("    x = 1" for _ in range(FUNCTION_LINES))
    assert long_functions(ast.parse(f"def long() -> None:\n{body}\n")) == [(1, "long", FUNCTION_LINES + 1)]
