"""``veilleuse override``: one command as an operator, over MQTT, and what became of it."""

from __future__ import annotations

import getpass
import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.exits import DONE, WRONG
from controller.cli.targets import leading_site, loaded, the_one

if TYPE_CHECKING:
    import aiomqtt

    from config.site import Site
    from controller.mqtt.topics import Topics

EXAMPLE = """\b
Example:
  veilleuse override lamp/l-001 100 --for 1h --reason "accident rue du Port"
  veilleuse override ./town zone/ecole-jaures.classes 20C --for 2h --reason "parents' evening"
  veilleuse override ./town l-001 release
  veilleuse override ./town zone/gymnase.salle boost --for 1h
  veilleuse override ./town building/ecole-jaures off --for 12h --reason "boiler is serviced"
  veilleuse override ./town group/centre relight --for 10m
  veilleuse override ./town segment/s-01 100 --for 4h --work-order BT-117 --reason "lamps are cleaned"
"""
RELEASE, RELIGHT, BOOST = "release", "relight", "boost"
_HEATED = ("zone", "building")
_SETTLED = frozenset({"applied", "masked", "rejected", "no-feedback", "refused"})
_STATUS_S = 2.0

Demand = dict[str, object]


@click.command(epilog=EXAMPLE)
@leading_site
@click.argument("target")
@click.argument("value")
@click.option("--for", "lasting", metavar="DURATION", help="30m, 2h, 1h30m (default: the site's); capped by the site.")
@click.option("--reason", default="", metavar="TEXT", help="Why; needed but to release, relight or boost.")
@click.option(
    "--work-order", metavar="ORDER", help="Maintenance under this order; --reason is then told to the public."
)
@click.option("--by", default=None, metavar="NAME", help="Who (default: the user of this machine).")
@click.option("--wait", "wait_s", type=click.FloatRange(0.1), default=10.0, show_default=True, help="Seconds to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    site: Path,
    target: str,
    value: str,
    lasting: str | None,
    reason: str,
    work_order: str | None,
    by: str | None,
    wait_s: float,
    as_json: bool,
) -> None:
    """Override TARGET with VALUE for a while, light it with "relight", warm it with "boost", or "release" it.

    TARGET is lamp/l-001, segment/s-01, zone/school.hall, building/school, or the id alone where only one has it. VALUE
    is a level in percent, on, off (lamp, segment, group); degrees Celsius, comfort, reduced, frost, off (zone,
    building); relight; boost (zone); or release.
    With --work-order it is maintenance, which ends at sunset at the latest and raises no alarms.

    Exit code 0 when it was applied or is on its way, 1 when it was refused, masked, rejected or not answered.
    """
    _check_duration(lasting)
    if not reason and value not in (RELEASE, RELIGHT, BOOST):
        raise click.UsageError("--reason is needed: who reads the log wants to know why")
    town = loaded(site)
    commanded = {"lamp": town.lamps, "segment": town.segments, "zone": town.zones, "group": town.groups}
    commanded["building"] = town.buildings
    name = the_one(target, [f"{kind}/{identity}" for kind, known in commanded.items() for identity in known])
    kind, _, identity = name.partition("/")
    fields = {**demand(kind, value), "reason": reason, "by": by or getpass.getuser()}
    if lasting:
        fields["for"] = lasting
    if work_order is not None:
        _check_maintenance(kind, fields)
        fields["maintenance"] = work_order
    result = _ask(town, kind, identity, fields, wait_s)
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else _sentence(result))
    sys.exit(DONE if result["outcome"] in ("applied", "pending") else WRONG)


def demand(kind: str, value: str) -> Demand:
    """The field of the command that ``value`` stands for. Raises UsageError."""
    from schedules.allures import Allure

    if value == RELEASE:
        return {"relinquish": True}
    if value == RELIGHT:
        if kind in _HEATED:
            raise click.UsageError("relight is for lamps, segments and groups")
        return {"relight": True}
    if value == BOOST:
        if kind != "zone":
            raise click.UsageError("boost is for zones")
        return {"boost": True}
    if kind in _HEATED:
        if value in {allure.value for allure in Allure}:
            return {"allure": value}
        return {"setpoint_c": _number(value.removesuffix("C").removesuffix("°"), f"{value} is no setpoint like 20C")}
    if value in ("on", "off"):
        return {"level": 100 if value == "on" else 0}
    return {"level": _number(value.removesuffix("%"), f"{value} is no level like 40")}


def _number(text: str, complaint: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise click.UsageError(complaint) from error


def _check_duration(text: str | None) -> None:
    from controller.mqtt.commands import Unfit, parse_duration

    if text is None:
        return
    try:
        parse_duration(text)
    except Unfit as error:
        raise click.UsageError(f"--for: {error}") from error


def _check_maintenance(kind: str, fields: Demand) -> None:
    if "level" not in fields:
        what = f"a {kind}" if kind in _HEATED else "a release or a relight"
        raise click.UsageError(f"--work-order goes with a level, not with {what}")


def _ask(town: Site, kind: str, identity: str, fields: Demand, wait_s: float) -> Demand:
    """Send the command and give back its result; ``no-answer`` when none came in time."""
    import asyncio

    import aiomqtt

    from controller.mqtt.link import address_of, fresh_client, tls_context
    from controller.mqtt.outbox import encode
    from controller.mqtt.topics import Topics

    topics, tls = Topics(town.mqtt.base, town.id), tls_context(town.mqtt)
    command_id = str(uuid.uuid4())

    async def talk() -> Demand:
        async with fresh_client(town.mqtt, f"veilleuse-override-{command_id[:8]}", tls) as client:
            await client.subscribe([(topics.status, 1), (topics.result(kind, identity), 1)])
            if not await _online(client, topics):
                raise click.ClickException(f"the daemon of {town.id} is offline: nothing was sent")
            issued = datetime.now(UTC).isoformat(timespec="milliseconds")
            body = encode({"id": command_id, "issued": issued, **fields})
            await client.publish(topics.command(kind, identity), body, qos=1)
            return await _result(client, command_id, wait_s)

    try:
        return {"target": f"{kind}/{identity}", **asyncio.run(talk())}
    except (aiomqtt.MqttError, OSError) as error:
        raise click.ClickException(f"broker {address_of(town.mqtt)} not reached: {error}") from error


async def _online(client: aiomqtt.Client, topics: Topics) -> bool:
    """What stands retained comes first after SUBSCRIBE; a status that does not come at all is none."""
    import asyncio
    import contextlib

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STATUS_S):
            async for message in client.messages:
                if str(message.topic) == topics.status:
                    return message.payload == b"online"
    return False


async def _result(client: aiomqtt.Client, command_id: str, wait_s: float) -> Demand:
    """The last outcome heard within ``wait_s``; one that is settled ends the waiting."""
    import asyncio
    import contextlib

    from controller.mqtt.outbox import decode

    last: Demand = {"id": command_id, "outcome": "no-answer", "detail": f"no result within {wait_s:g} s"}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            async for message in client.messages:
                heard = decode(bytes(message.payload or b""))
                if heard.get("id") == command_id:
                    last = dict(heard)
                if last["outcome"] in _SETTLED:
                    break
    return last


def _sentence(result: Demand) -> str:
    detail = f": {result['detail']}" if result.get("detail") else ""
    return f"{result['target']} {result['outcome']}{detail}"
