"""What a reload changes, in words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.load import load_site
from config.site import Group, Mqtt, OverridePolicy, Site
from controller.difference import difference
from tests.controller.towns import LED, town, without_lamp

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "config" / "examples"
Edit = Callable[[Site], Site]


@pytest.mark.parametrize("name", ["minimal", "valbourg"])
def test_the_same_files_again_are_no_difference(name: str) -> None:
    assert difference(load_site(EXAMPLES / name, {}), load_site(EXAMPLES / name, {})) == {}


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_order_of_hashes_is_no_difference(seed: str) -> None:
    """A set inside a plan would show its members in another order."""
    program = (
        "from pathlib import Path\nfrom config.load import load_site\nfrom controller.difference import difference\n"
        f"site = Path({str(EXAMPLES / 'valbourg')!r})\nprint(difference(load_site(site, {{}}), load_site(site, {{}})))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    assert found.stdout.strip() == "{}"


def with_lamps(site: Site, count: int) -> Site:
    new = {f"n-{n}": replace(site.lamps["g-1"], id=f"n-{n}", address=10 + n) for n in range(count)}
    return replace(site, lamps={**site.lamps, **new})


def with_lamp_type(site: Site) -> Site:
    return replace(site, lamps={**site.lamps, "g-1": replace(site.lamps["g-1"], type=replace(LED, power_w=50.0))})


def with_plan(site: Site) -> Site:
    gare = site.groups["gare"]
    return replace(site, groups={**site.groups, "gare": Group("gare", site.plans["centre"], gare.lamps)})


def with_device(site: Site) -> Site:
    gare = site.devices["cab-gare"]
    return replace(site, devices={**site.devices, "cab-gare": replace(gare, points=gare.points[:-1])})


CHANGES: list[tuple[str, Edit, dict[str, str]]] = [
    ("nothing", lambda site: replace(site, lamps=dict(site.lamps)), {}),
    ("one lamp more", lambda site: with_lamps(site, 1), {"lamps": "+1 (n-0)"}),
    (
        "seven lamps more",
        lambda site: with_lamps(site, 7),
        {"lamps": "+7 (n-0, n-1, n-2, n-3, n-4, ...)"},
    ),
    ("a lamp less", lambda site: without_lamp(site, "g-2"), {"lamps": "-1 (g-2)", "groups": "~1 (gare)"}),
    ("another lamp type", with_lamp_type, {"lamps": "~1 (g-1)"}),
    ("another plan for a group", with_plan, {"groups": "~1 (gare)"}),
    ("a point less", with_device, {"devices": "~1 (cab-gare)"}),
    (
        "one in, one out, one changed",
        lambda site: with_lamps(with_lamp_type(without_lamp(site, "m-1")), 1),
        {"lamps": "+1 (n-0) -1 (m-1) ~1 (g-1)", "groups": "~1 (centre-ville)"},
    ),
    ("the broker", lambda site: replace(site, mqtt=Mqtt("mqtt://broker:1883")), {"mqtt": "changed"}),
    ("the name", lambda site: replace(site, name="Valbourg-sur-Mer"), {"site": "changed"}),
    (
        "the cap of overrides",
        lambda site: replace(site, overrides=OverridePolicy(cap=timedelta(hours=1))),
        {"overrides": "changed"},
    ),
    ("the place", lambda site: replace(site, place=replace(site.place, latitude=48.0)), {"place": "changed"}),
]


@pytest.mark.parametrize(("_words", "edit", "expected"), CHANGES, ids=[words for words, _, _ in CHANGES])
def test_a_change_is_named_where_it_is(_words: str, edit: Edit, expected: dict[str, str]) -> None:
    site = town()
    assert difference(site, edit(site)) == expected


def test_a_change_in_the_files_is_named(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for place in (before, after):
        shutil.copytree(EXAMPLES / "minimal", place)
    lamps = (after / "lamps.csv").read_text().splitlines(keepends=True)
    (after / "lamps.csv").write_text("".join(lamps[:-1]))
    gone = lamps[-1].split(",")[0]
    found = difference(load_site(before, {}), load_site(after, {}))
    assert found["lamps"] == f"-1 ({gone})"


def test_a_password_is_never_shown() -> None:
    site = town()
    assert difference(site, replace(site, mqtt=replace(site.mqtt, password=site.id))) == {"mqtt": "changed"}
