"""``veilleuse check`` as a process: every mistake of a site in one run, each with its file, line and column."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from tests.system.processes import environment, veilleuse

pytestmark = pytest.mark.system

MISTAKES = (
    ("site.yaml", "overrides: {", "overides: {", "overides", 'did you mean "overrides"?'),
    ("site.yaml", "unit: 10,", "unit: ten,", "ten", "unit"),
    ("site.yaml", "plan: quartiers, lamps: {street", "plan: quartier, lamps: {street", "quartier,", "quartiers"),
    ("lamps.csv", "l-030,Rue des Tisserands,cab-gare", "l-030,Rue des Tisserands,cab-guerre", "cab-guerre", "cab-gare"),
    ("calendars/vacances-zone-b.csv", "2026-02-14", "2026-02-30", "2026-02-30", "2026-02-30"),
)
"""File, what stands there, what is written instead, where the finger points, and a word of the message."""


def place(path: Path, text: str) -> tuple[int, int]:
    """Line and column of the first ``text`` in a file, from 1."""
    before = path.read_text(encoding="utf-8").partition(text)[0]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_five_mistakes_are_five_places(tmp_path: Path) -> None:
    site = tmp_path / "valbourg"
    with as_file(files("config") / "examples" / "valbourg") as example:
        shutil.copytree(example, site)
    for file, old, new, _, _ in MISTAKES:
        text = (site / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        (site / file).write_text(text.replace(old, new), encoding="utf-8")
    argv = veilleuse("check", str(site))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, env=environment())
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stdout.splitlines()
    for file, _, _, pointed, word in MISTAKES:
        line, column = place(site / file, pointed)
        prefix = f"{site / file}:{line}:{column}: error: "
        (message,) = [found.removeprefix(prefix) for found in said if found.startswith(prefix)]
        assert word in message
    assert re.search(r"\d+ errors$", said[-1])
