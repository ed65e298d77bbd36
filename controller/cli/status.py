"""``veilleuse status``: what the running daemon has told the broker, as one page."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.exits import DONE, WRONG, site_argument
from controller.cli.targets import printable

if TYPE_CHECKING:
    from config.site import Site
    from controller.mqtt.topics import Topics

EXAMPLE = """\b
Example:
  veilleuse status
  veilleuse status ./town --json | jq '.alarms'
"""
QUIET_S, CAP_S = 0.7, 10.0

State = Mapping[str, object]


@dataclass(slots=True)
class Picture:
    """What stands retained at the broker; ``status`` is empty where no daemon ever was."""

    status: str = ""
    gateway: State = field(default_factory=dict)
    states: dict[str, dict[str, State]] = field(default_factory=dict)
    """By kind and id."""
    alarms: list[State] = field(default_factory=list)


@click.command(epilog=EXAMPLE)
@site_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a page.")
def command(site: Path, as_json: bool) -> None:
    """The running daemon's live state, read from the site's broker.

    Exit code 0 when the daemon is online; 1 when it is offline or the broker is not reached.
    """
    from config.load import SiteError, load_site

    try:
        town = load_site(site)
    except SiteError as error:
        raise click.ClickException(f"{site} is no valid site\n{error}") from error
    picture = _look(town)
    if as_json:
        click.echo(json.dumps(_facts(town, picture), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(printable(line) for line in page(town.id, picture).splitlines()))
    sys.exit(DONE if picture.status == "online" else WRONG)


def _look(town: Site) -> Picture:
    import asyncio

    import aiomqtt

    from controller.mqtt.link import address_of, fresh_client, standing, tls_context
    from controller.mqtt.topics import Topics

    topics = Topics(town.mqtt.base, town.id)

    async def read() -> dict[str, bytes]:
        identifier = f"veilleuse-status-{os.getpid()}"
        async with fresh_client(town.mqtt, identifier, tls_context(town.mqtt)) as client:
            return await standing(client, [f"{topics.root}/#"], QUIET_S, CAP_S)

    try:
        found = asyncio.run(read())
    except (aiomqtt.MqttError, OSError) as error:
        raise click.ClickException(f"broker {address_of(town.mqtt)} not reached: {error}") from error
    return picture_of(topics, found)


def picture_of(topics: Topics, found: Mapping[str, bytes]) -> Picture:
    """Sort retained messages by what they are about; what is not ours or not JSON is left out."""
    from controller.mqtt.outbox import decode

    picture = Picture(status=found.get(topics.status, b"").decode(errors="replace"))
    for topic, payload in sorted(found.items()):
        match topic.removeprefix(f"{topics.root}/").split("/"):
            case ["gateway", "state"]:
                picture.gateway = decode(payload)
            case ["alarm", kind, identity, event]:
                picture.alarms.append({"kind": kind, "id": identity, "event": event, **decode(payload)})
            case [kind, identity, "state"]:
                picture.states.setdefault(kind, {})[identity] = decode(payload)
    return picture


def page(site_id: str, picture: Picture) -> str:
    """The whole picture as aligned plain text."""
    parts = [
        f"{site_id}: {picture.status or 'no daemon has been here'}",
        *_gateway(picture.gateway),
        *_lamps(picture.states.get("lamp", {})),
        *_others(picture.states),
        *_zones(picture.states.get("zone", {})),
        *_alarms(picture.alarms),
    ]
    return "\n".join(parts)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest word, two blanks between them."""
    widths = [max(len(word) for word in column) for column in zip(*rows, strict=True)]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _facts(town: Site, picture: Picture) -> dict[str, object]:
    kinds = {f"{kind}s": entities for kind, entities in picture.states.items()}
    alarms = {"alarms": picture.alarms}
    return {"site": town.id, "status": picture.status or None, "gateway": picture.gateway, **kinds, **alarms}


def _gateway(state: State) -> list[str]:
    if not state:
        return []
    return ["", "gateway", *aligned([("  " + name, _word(value)) for name, value in state.items()])]


def _lamps(lamps: Mapping[str, State]) -> list[str]:
    if not lamps:
        return []
    levels = [level for lamp in lamps.values() if isinstance(level := lamp.get("level"), int | float)]
    powers = [power for lamp in lamps.values() if isinstance(power := lamp.get("power_w"), int | float)]
    rows = [
        ("  all", str(len(lamps))),
        ("  lit", f"{sum(level > 0 for level in levels)}, {sum(powers):.0f} W"),
        ("  quality", _tally(lamps, "quality")),
        ("  write", _tally(lamps, "write")),
        ("  reason", _tally(lamps, "reason")),
    ]
    return ["", "lamps", *aligned(rows)]


def _others(states: Mapping[str, Mapping[str, State]]) -> list[str]:
    rows = [
        (f"{kind}s", str(len(entities)), _tally(entities, "quality"))
        for kind, entities in states.items()
        if kind not in ("lamp", "zone")
    ]
    return ["", *aligned(rows)] if rows else []


def _zones(zones: Mapping[str, State]) -> list[str]:
    if not zones:
        return []
    told = ("detail",) if any(zone.get("detail") for zone in zones.values()) else ()
    names = ("temperature_c", "setpoint_c", "commanded_c", "allure", "quality", "write", *told, "reason", "until")
    rows: list[Sequence[str]] = [("  zone", *names)]
    rows += [(f"  {identity}", *(_word(zone.get(name)) for name in names)) for identity, zone in zones.items()]
    return ["", "zones", *aligned(rows)]


def _alarms(alarms: Sequence[State]) -> list[str]:
    if not alarms:
        return ["", "alarms: none"]
    explained = [alarm for alarm in alarms if alarm.get("suppressed_by")]
    shouting = [alarm for alarm in alarms if not alarm.get("suppressed_by")]
    names = ("event", "severity", "since", "value", "suppressed_by")
    told = (*shouting, *explained)
    rows: list[Sequence[str]] = [("  target", *names)]
    rows += [(f"  {alarm['kind']}/{alarm['id']}", *(_word(alarm.get(name)) for name in names)) for alarm in told]
    more = f", and {len(explained)} explained by others" if explained else ""
    head, *lines = aligned(rows)
    return ["", f"alarms: {len(shouting)}{more}", head, *_with_details(lines, told)]


def _with_details(lines: Sequence[str], alarms: Sequence[State]) -> Iterator[str]:
    """Each line of an alarm, and below it the sentence that it says, where it has one."""
    for line, alarm in zip(lines, alarms, strict=True):
        yield line
        if alarm.get("detail"):
            yield f"      {_word(alarm['detail'])}"


def _tally(entities: Mapping[str, State], name: str) -> str:
    """How many have which value: ``118 good, 2 offline``."""
    counts = Counter(_word(entity.get(name)) for entity in entities.values())
    return ", ".join(f"{count} {value}" for value, count in counts.most_common(6))


def _word(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list():
            return ", ".join(_word(part) for part in value)
        case _:
            return " ".join(str(value).split())
