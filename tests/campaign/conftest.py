"""Figures of the campaigns: gathered by the tests, wherever they run, and shown at the end of ``make campaign``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

_FIGURE = "figure"
Show = Callable[[str], None]


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Show:
    """Takes one line of figures."""
    return lambda line: record_property(_FIGURE, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The lines, with the time that each took."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind) if r.when == "call"]
    lines = [f"{value} ({r.duration:.0f} s)" for r in reports for name, value in r.user_properties if name == _FIGURE]
    if lines:
        terminalreporter.section("figures")
    for line in sorted(lines):
        terminalreporter.write_line(line)
