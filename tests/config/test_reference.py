"""docs/site-files.md is the reference of every key: nothing missing, and what it shows is valid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from config import heating, lighting, model
from config.model import SiteFile
from config.problems import Findings
from config.source import parse_yaml
from config.tree.calendars import REQUIRED
from config.wording import checked
from config.written import Written
from drivers.registry import DRIVERS

TEXT = (Path(__file__).parents[2] / "docs" / "site-files.md").read_text(encoding="utf-8")


def models() -> Iterator[type[BaseModel]]:
    for module in (model, lighting, heating):
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Written) and thing is not Written:
                yield thing
    for entry in DRIVERS.values():
        yield entry.bus_settings
        yield entry.device_settings


def test_every_key_is_there() -> None:
    keys = {field.alias or name for each in models() for name, field in each.model_fields.items()}
    missing = {key for key in keys if not re.search(rf"\b{key}\b", TEXT)}
    assert len(keys) > 70
    assert missing == set()


def test_every_default_example_is_valid() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    whole = "".join(blocks)
    findings = Findings()
    document = parse_yaml("docs/site-files.md", whole, findings)
    written = checked(document, SiteFile, findings)
    assert [str(problem) for problem in findings.ordered()] == []
    assert written is not None
    assert all(getattr(written, name) for name in SiteFile.model_fields), "one block for each section"


def test_the_columns_are_those_of_the_code() -> None:
    assert ",".join(REQUIRED) in TEXT
