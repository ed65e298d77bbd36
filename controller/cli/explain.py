"""``veilleuse explain``: the whole stack of reasons behind one output."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from controller.cli.reasons import Explanation, facts_of, instant_of, lines_of
from controller.cli.targets import leading_site, loaded, local_instant, printable, the_one, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.site import Site
    from controller.core.wiring import Wiring

EXAMPLE = """\b
Example:
  veilleuse explain lamp/l-001
  veilleuse explain ./town l-001 --at 2026-12-24T23:15
  veilleuse explain ./town building/ecole-jaures
  veilleuse explain ./town zone/ecole-jaures.classes --json | jq .winner
"""


@click.command(epilog=EXAMPLE)
@leading_site
@click.argument("target")
@click.option("--at", "at_text", metavar="TIME", help="By the plan at that time: 22:30, 2026-12-24T22:30 or RFC 3339.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(site: Path, target: str, at_text: str | None, as_json: bool) -> None:
    """Why TARGET is as it is: every wish behind it, the winner and the losers, and until when.

    TARGET is lamp/l-001, segment/mairie-1, zone/school.hall, or the id alone where only one has it; building/school is
    its heat generator. Without --at the running daemon is asked through the broker; where none answers, and with --at,
    the plan alone is explained.
    """
    from controller.cli.plants import is_led
    from controller.core.wiring import Wiring

    wiring = Wiring(loaded(site))
    key, without_node = _commanded(wiring, _output(wiring.site, target))
    if key not in wiring.targets and not is_led(wiring, key):
        raise click.ClickException(
            f"{key} is not commanded: the profile of its device has no point that can be written"
        )
    zone = wiring.site.place.zone
    found = _explained(wiring, key, at_text, zone)
    if without_node:
        found = replace(found, note="; ".join(words for words in (without_node, found.note) if words))
    if as_json:
        click.echo(json.dumps(facts_of(found, zone), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(map(printable, lines_of(found, zone))))


def _commanded(wiring: Wiring, key: str) -> tuple[str, str]:
    """What to explain for ``key``: of a lamp without a node its contactor, and the words that say so."""
    kind, _, identity = key.partition("/")
    lamp = wiring.site.lamps.get(identity) if kind == "lamp" else None
    if lamp is None or lamp.has_node:
        return key, ""
    return f"segment/{lamp.segment}", f"{key} has no node: it burns while segment/{lamp.segment} feeds it"


def _output(site: Site, target: str) -> str:
    outputs = [f"{kind}/{identity}" for kind, ids in _kinds(site).items() for identity in ids]
    kind, _, identity = target.rpartition("/")
    if identity in site.groups and kind in ("", "group") and not any(identity in ids for ids in _kinds(site).values()):
        raise click.ClickException(f"group/{identity} is many outputs: explain one of its lamps or segments")
    generators = [f"building/{each.id}" for each in site.buildings.values() if each.plant is not None]
    if target in generators:
        return target
    if target in {f"{word}/{each}" for word, ids in _stations(site).items() for each in ids}:
        raise click.ClickException(f"{target} is not commanded: explain a lamp, segment, zone or a building with plant")
    if not outputs:
        raise unknown(target, outputs)
    if f"building/{target}" in generators and not any(target == each.partition("/")[2] for each in outputs):
        return f"building/{target}"
    return the_one(target, outputs)


def _kinds(site: Site) -> Mapping[str, Mapping[str, object]]:
    return {"lamp": site.lamps, "segment": site.segments, "zone": site.zones}


def _stations(site: Site) -> Mapping[str, Mapping[str, object]]:
    return {"cabinet": site.cabinets, "meter": site.meters, "building": site.buildings}


def _explained(wiring: Wiring, key: str, at_text: str | None, zone: ZoneInfo) -> Explanation:
    from controller.cli.asking import NoAnswer, ask
    from controller.cli.grounds import feeding, grounds_of

    now = datetime.now(UTC)
    if at_text is not None:
        return _by_plan(wiring, key, local_instant(at_text, zone, now))
    try:
        heard = ask(wiring.site, key, feeding(wiring, key))
    except NoAnswer as error:
        note = f"no daemon answers ({error}): this is the plan alone, without overrides and readings"
        return _by_plan(wiring, key, now, note)
    at = instant_of(heard.state.get("ts")) or now
    grounds = grounds_of(wiring, key, at, heard.state)
    note = ""
    if heard.config_hash not in (None, wiring.site.config_hash):
        note = "the daemon runs another configuration than these site files: what stands below the wishes is the files'"
    return Explanation(key, at, "daemon", heard.state, grounds, note, heard.alarms)


def _by_plan(wiring: Wiring, key: str, at: datetime, note: str = "") -> Explanation:
    """A core that waits no more for a device and has heard nothing: the daemon's own code, without the daemon."""
    from controller.cli.grounds import grounds_of
    from controller.cli.plants import UNHEARD
    from controller.core.cycle import begin, cycle
    from controller.core.heating.learning import patience
    from controller.core.journal import Saved
    from controller.core.report import state_of

    grounds = grounds_of(wiring, key, at, {})
    if key.startswith("building/"):
        return Explanation(key, at, "plan", {}, grounds, "; ".join(words for words in (note, UNHEARD) if words))
    begun = begin(wiring, Saved(), at - patience(wiring)).state
    state = state_of(wiring, cycle(wiring, begun, (), at).state, key, at)
    return Explanation(key, at, "plan", state, grounds, note)
