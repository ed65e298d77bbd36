"""A site in a temporary directory, changed by search and replace."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from config.load import Problem, check_site
from config.site import Site
from config.starter import example_directory

TODAY = date(2026, 11, 21)


class Town:
    """A copy of an example town; ``change`` fails when the text to replace is not there exactly once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, name: str = "site.yaml") -> Path:
        return self.directory / name

    def change(self, old: str, new: str, name: str = "site.yaml") -> None:
        text = self.path(name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(text.replace(old, new), name)

    def append(self, text: str, name: str = "site.yaml") -> None:
        self.write(self.path(name).read_text(encoding="utf-8") + text, name)

    def write(self, text: str, name: str = "site.yaml") -> None:
        self.path(name).parent.mkdir(exist_ok=True)
        self.path(name).write_text(text, encoding="utf-8")

    def place(self, needle: str, name: str = "site.yaml") -> tuple[int, int]:
        """Line and column, from 1, of a text that stands once in a file."""
        text = self.path(name).read_text(encoding="utf-8")
        assert text.count(needle) == 1, f"{needle!r} stands {text.count(needle)} times in {name}"
        before = text[: text.index(needle)]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

    def check(self, environ: dict[str, str] | None = None, today: date = TODAY) -> tuple[Site | None, list[Problem]]:
        return check_site(self.directory, environ or {}, today)

    def problems(self) -> list[Problem]:
        return self.check()[1]

    def found(self) -> list[str]:
        """The problems as lines, with files named from the site's directory."""
        return [str(problem).removeprefix(f"{self.directory}/") for problem in self.problems()]


@pytest.fixture
def town(tmp_path: Path) -> Callable[[str], Town]:
    """``town("valbourg")`` is a fresh copy."""

    def copy(name: str) -> Town:
        target = tmp_path / name
        shutil.copytree(example_directory(name), target)
        return Town(target)

    return copy


@pytest.fixture
def valbourg(town: Callable[[str], Town]) -> Town:
    return town("valbourg")


@pytest.fixture
def minimal(town: Callable[[str], Town]) -> Town:
    return town("minimal")
