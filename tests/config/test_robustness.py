"""Whatever an editor's hand does to the files: problems or a site, never an exception."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.load import check_site
from config.starter import example_directory, write_starter
from tests.config.conftest import TODAY

FILES = ("site.yaml", "lamps.csv")
WORDS = [
    "1",
    "-1",
    "null",
    "true",
    "[]",
    "{}",
    ".nan",
    "''",
    "2026-01-01",
    "9" * 30,
    "rues",
    "&x",
    "*x",
    ":",
    "\t",
    "é",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site") / "town"
    write_starter(directory)
    return directory


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(FILES),
    start=st.floats(0, 1),
    length=st.integers(0, 12),
    put=st.sampled_from(WORDS) | st.text(max_size=4),
)
def test_a_slip_of_the_hand(site: Path, name: str, start: float, length: int, put: str) -> None:
    original = (example_directory("minimal") / name).read_text(encoding="utf-8")
    at = int(start * len(original))
    changed = original[:at] + put + original[at + length :]
    try:
        (site / name).write_bytes(changed.encode("utf-8", "surrogatepass"))
        found, problems = check_site(site, {}, TODAY)
        assert found is not None or any(problem.severity == "error" for problem in problems)
        assert all(problem.message and problem.file.startswith(str(site)) for problem in problems)
    finally:
        (site / name).write_text(original, encoding="utf-8")
