"""The example towns: they pass, they say what they are, and their schema is the current one."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from config.load import check_site, load_site
from config.schema import schema_text
from config.starter import NotEmpty, example_directory, examples, write_starter
from tests.config.conftest import TODAY


def test_there_are_three() -> None:
    assert examples() == ["armoires", "minimal", "valbourg"]
    with pytest.raises(KeyError):
        example_directory("paris")


@pytest.mark.parametrize("name", examples())
def test_an_example_has_no_error_and_no_warning(name: str) -> None:
    site, problems = check_site(example_directory(name), {}, TODAY)
    assert site is not None
    assert problems == []


@pytest.mark.parametrize("name", examples())
def test_every_file_begins_with_what_it_is(name: str) -> None:
    for path in example_directory(name).rglob("*"):
        if path.suffix in {".yaml", ".csv"}:
            lines = path.read_text(encoding="utf-8").splitlines()
            assert lines[0].startswith("# "), path
    first = (example_directory(name) / "site.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./site.schema.json"


@pytest.mark.parametrize("name", examples())
def test_the_schema_beside_it_is_current(name: str) -> None:
    shipped = (example_directory(name) / "site.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(), "run: veilleuse schema > config/examples/<town>/site.schema.json"


def test_the_holidays_are_those_of_the_law() -> None:
    """Eleven a year; the movable ones hang on Easter Monday, which is a Monday and 38 days before Ascension."""
    periods = load_site(example_directory("valbourg"), {}).calendars["feries"].periods
    for year in (2026, 2027, 2028):
        days = {period.label: period.start for period in periods if period.start.year == year}
        assert len(days) == 11
        assert all(period.start == period.end for period in periods)
        easter_monday = days["Lundi de Pâques"]
        assert easter_monday.weekday() == 0
        assert days["Ascension"] == easter_monday + timedelta(days=38)
        assert days["Lundi de Pentecôte"] == easter_monday + timedelta(days=49)
        assert days["Fête nationale"] == date(year, 7, 14)


def test_school_holidays_have_a_source_and_do_not_overlap() -> None:
    periods = load_site(example_directory("valbourg"), {}).calendars["vacances-b"].periods
    assert len(periods) == 18
    assert all(period.source for period in periods)
    for before, after in pairwise(periods):
        assert before.end < after.start


def test_a_starter_goes_into_a_new_or_empty_directory(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "new" / "town")
    assert {path.name for path in written} == {"site.yaml", "lamps.csv", "site.schema.json"}
    (tmp_path / "empty").mkdir()
    write_starter(tmp_path / "empty", "valbourg")
    assert (tmp_path / "empty" / "calendars" / "feries.csv").is_file()
    for name in examples():
        assert check_site(tmp_path / ("empty" if name == "valbourg" else "new/town"), {}, TODAY)[1] == []


def test_a_starter_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(NotEmpty, match="is not empty"):
        write_starter(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["site.yaml"]
    assert (tmp_path / "site.yaml").read_text(encoding="utf-8") == "mine"
