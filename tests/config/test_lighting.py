"""The lighting network in the files: lamps without a node, relay patterns, nested groups, sensors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from config.site import Pattern, RelightPolicy, Site
from tests.config.conftest import Town

CELLS = """
photocells:
  - {id: mairie, device: cab-mairie, on_below: 40}
presence:
  - {id: passage, device: cab-mairie, number: 2, lamps: {id: l-001}, level: 80, neighbours: {within_m: 30, level: 40}}
"""


def built(town: Town) -> Site:
    site, problems = town.check()
    assert site is not None, problems
    return site


def test_a_cabinet_without_nodes(town: Callable[[str], Town]) -> None:
    site = built(town("armoires"))
    cabinet = site.cabinets["armoire-bourg"]
    assert cabinet.patterns == (Pattern(50.0, ("rues-pair",)), Pattern(100.0, ("rues-pair", "rues-impair")))
    assert [cabinet.pattern_for(level) for level in (10, 50, 51, 100)] == [
        cabinet.patterns[0], cabinet.patterns[0], cabinet.patterns[1], cabinet.patterns[1],
    ]  # fmt: skip
    assert cabinet.stagger_s == 1.0
    assert site.segments["route"].min_on_s == 120.0
    assert not any(lamp.has_node for lamp in site.lamps.values())
    assert site.groups["rues"].relight == RelightPolicy()
    polled = site.devices["relais-bourg"].points
    assert "segment.5.feedback" in polled
    assert "segment.6.feedback" not in polled


ODD = {
    "a lamp without address and segment": (
        "r-01,Grande Rue,armoire-bourg,rues-impair,,", "r-01,Grande Rue,armoire-bourg,,,", "lamps.csv",
        "lamps.csv:3:31: error: a lamp without an address needs the segment that feeds it",
    ),
    "a pattern of a foreign contactor": (
        "50: rues-pair\n", "50: rues-paire\n", "site.yaml",
        'cabinets.armoire-bourg.patterns.50: unknown segment "rues-paire"; did you mean "rues-pair"?',
    ),
    "a level between two patterns": (
        '"21:30": 50,', '"21:30": 60,', "site.yaml",
        "programs.rues.levels.21:30: cabinet armoire-bourg has no pattern for 60 %: lit by that of 100 %",
    ),
    "light on demand where nothing is cut": (
        "lamps: {segment: route}, legal", "lamps: {segment: route}, relight: {for: 5m}, legal", "site.yaml",
        "groups.route.relight: without effect: the plan of this group has no cut",
    ),
    "more than the cap": (
        "relight: {for: 10m, cap: 15m}", "relight: {for: 20m, cap: 15m}", "site.yaml",
        "cap must not be shorter than for",
    ),
    "no plan anywhere": (
        "{id: route, plan: route,", "{id: route,", "site.yaml",
        "groups.route: plan: missing, and no group around it has one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_is_wrong_is_told_at_its_place(town: Callable[[str], Town], name: str) -> None:
    old, new, file, message = ODD[name]
    site = town("armoires")
    site.change(old, new, file)
    assert message in "\n".join(site.found())


def test_a_pattern_switches_no_lamp_that_is_dimmed(valbourg: Town) -> None:
    valbourg.change(
        "- {id: mairie-2, output: 2, phase: 2}\n",
        "- {id: mairie-2, output: 2, phase: 2}\n    patterns: {50: mairie-1}\n",
    )
    assert 'segment "mairie-1" feeds lamp "' in "\n".join(valbourg.found())


def test_nested_groups_inherit_the_plan_and_keep_their_own(valbourg: Town) -> None:
    valbourg.change("{id: gare, plan: centre, lamps:", "{id: gare, lamps:")
    valbourg.change(
        "  - {id: centre-ville, plan: centre,", "  - {id: ville, plan: centre, groups: [gare, quartiers]}\n"
        "  - {id: centre-ville, plan: centre,",
    )  # fmt: skip
    groups = built(valbourg).groups
    assert (groups["gare"].plan.id, groups["gare"].parent) == ("centre", "ville")
    assert (groups["quartier-gare"].plan.id, groups["quartier-gare"].parent) == ("quartiers", "quartiers")
    assert (groups["ville"].groups, groups["ville"].lamps) == (("gare", "quartiers"), ())


@pytest.mark.parametrize(
    ("nesting", "message"),
    [
        ("groups: [gare, gares]", 'unknown group "gares"; did you mean "gare"?'),
        ("groups: ville", 'group "ville" would be nested in itself'),
        ("groups: [gare, gare]", 'group "gare" is already nested in "ville"'),
    ],
)
def test_nesting_that_cannot_be(valbourg: Town, nesting: str, message: str) -> None:
    valbourg.change("  - {id: centre-ville,", f"  - {{id: ville, plan: centre, {nesting}}}\n  - {{id: centre-ville,")
    assert message in "\n".join(valbourg.found())


def test_groups_that_nest_each_other(valbourg: Town) -> None:
    valbourg.change("{id: gare, plan: centre, lamps:", "{id: gare, groups: quartier-gare, lamps:")
    valbourg.change("{id: quartier-gare, plan: quartiers, lamps:", "{id: quartier-gare, groups: gare, lamps:")
    found = "\n".join(valbourg.found())
    assert 'group "gare" would be nested in itself' in found
    assert "Traceback" not in found


def test_lamp_types_and_lamps_with_all_they_may_say(valbourg: Town) -> None:
    valbourg.change(
        "  led-42: {power: 42,", "  led-42: {clo: {60000: 100, 0: 80}, clo_by: controller, virtual_output: 90,\n"
        "    maintenance: {factor: 90, every: 1095d}, power_factor: {100: 0.95, 10: 0.5}, tolerance_w: 2, power: 42,",
    )  # fmt: skip
    kind = next(lamp.type for lamp in built(valbourg).lamps.values() if lamp.type.id == "led-42")
    assert kind.clo == ((0.0, 80.0), (60000.0, 100.0))
    assert (kind.virtual_output, kind.tolerance_w, kind.clo_by_gear) == (90.0, 2.0, False)
    assert kind.power_factor == ((10.0, 0.5), (100.0, 0.95))
    assert kind.upkeep is not None
    assert kind.upkeep.factor == 90.0
