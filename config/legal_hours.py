"""The legal hours of a country: the data files of config/legal, read once, as the categories of schedules.legal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from config.fields import Day, Duration, Id, MomentText, Text
from config.problems import Findings, SiteError
from config.source import parse_yaml
from config.wording import checked
from config.written import Written
from schedules.legal import LegalCategory
from schedules.moments import ClockTime, parse_moment

_SHIPPED = Path(__file__).parent / "legal"


def _clock(text: object) -> time:
    moment = parse_moment(text) if isinstance(text, str) else None
    if not isinstance(moment, ClockTime):
        raise ValueError("must be a clock time in quotes")  # noqa: TRY004 - pydantic reports a ValueError
    return moment.at


Clock = Annotated[time, BeforeValidator(_clock)]


class CategoryFile(Written):
    """``categories.<id>``; without any hour the law leaves them to somebody else."""

    en: Text
    fr: Text
    law: Text | None = Field(None, description="where it is another law than the file's")
    article: Text
    evening: MomentText | None = Field(None, description="earliest light of the evening")
    off: Clock | None = Field(None, description="latest off; with off_after the later of the two")
    off_after: Duration | None = Field(None, description="latest off, after the activity")
    morning: Clock | None = Field(None, description="earliest light of the morning")
    before: Duration | None = Field(None, description="before an activity (that begins earlier than morning)")
    presence_exempt: bool = False
    memory: tuple[str, ...] = Field((), description="the keys above that no source was read for")


class CountryFile(Written):
    """One country's hours."""

    country: Text
    law: Text
    source: Text
    checked: Day
    categories: dict[Id, CategoryFile]


def known_countries() -> list[str]:
    """The countries whose legal hours come with the package."""
    return sorted(path.stem for path in _SHIPPED.glob("*.yaml"))


def legal_path(country: str) -> Path:
    """The file of a country, whether or not there is one."""
    return _SHIPPED / f"{country}.yaml"


@cache
def legal_categories(country: str) -> Mapping[str, LegalCategory]:
    """The categories of one of ``known_countries`` by id; they do not change while we run."""
    written = read_country(country)
    return {name: _category(name, written.law, category) for name, category in written.categories.items()}


def read_country(country: str) -> CountryFile:
    """A country's file as it is written. Raises SiteError with everything that is wrong in it."""
    path, findings = legal_path(country), Findings()
    written = checked(parse_yaml(str(path), path.read_text(encoding="utf-8"), findings), CountryFile, findings)
    if written is None or findings.failed:
        raise SiteError(findings.ordered())
    return written


def checked_on(country: str) -> date:
    """When the file was last compared with its source."""
    return read_country(country).checked


def _category(name: str, law: str, written: CategoryFile) -> LegalCategory:
    return LegalCategory(
        name,
        written.en,
        written.fr,
        f"{written.law or law}, {written.article}",
        None if written.evening is None else parse_moment(written.evening),
        written.off,
        written.off_after,
        written.morning,
        written.before,
        written.presence_exempt,
        written.memory,
    )
