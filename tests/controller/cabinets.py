"""A village without lamp nodes as a Wiring, from the shipped example; and changes to it for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from config.load import load_site
from config.site import Site
from config.starter import example_directory

RELAYS, METER = "relais-bourg", "compteur-bourg"
PAIR, IMPAIR, ROUTE = "segment.1.command", "segment.2.command", "segment.3.command"


def village(**of_cabinet: Any) -> Site:
    """The streets of the example ``armoires``, three contactors; keywords change its cabinet."""
    site = load_site(example_directory("armoires"), {})
    segments = {name: segment for name, segment in site.segments.items() if name not in ("eglise", "parking")}
    groups = {name: group for name, group in site.groups.items() if name not in ("eglise", "parking")}
    cabinets = {
        name: replace(cabinet, segments=tuple(segments), **of_cabinet) for name, cabinet in site.cabinets.items()
    }
    return replace(site, cabinets=cabinets, segments=segments, groups=groups)


def with_limits(site: Site, min_on_s: float, min_off_s: float) -> Site:
    """The same with these least times at every contactor, and lamps that need none of their own."""
    segments = {
        name: replace(segment, min_on_s=min_on_s, min_off_s=min_off_s) for name, segment in site.segments.items()
    }
    lamps = {name: replace(lamp, type=replace(lamp.type, cool_down_s=0.0)) for name, lamp in site.lamps.items()}
    return replace(site, segments=segments, lamps=lamps)
