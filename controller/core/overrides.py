"""Operators' commands judged and kept: what is refused, with its reason, and what becomes an override that ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from controller.core import legal, lighting, owed, relight
from controller.core.commands import Command, Refusal
from controller.core.dynamic import BOOST, RELIGHT, target_of
from controller.core.heating import boost
from controller.core.journal import Override
from controller.core.legal import Ruling
from controller.core.maintenance import until_dark
from controller.core.state import CommandResult, Draft
from controller.core.wiring import Kind, Wiring


def refuse(draft: Draft, refusal: Refusal) -> None:
    """Report a command that was refused where it came in."""
    _refuse(draft, refusal.id, f"{refusal.kind}/{refusal.target}", refusal.detail)


def accept(wiring: Wiring, draft: Draft, command: Command) -> None:
    """Judge one command; when it stands, set or release the override and owe its result."""
    key = f"{command.kind}/{command.target}"
    if command.id in draft.seen:
        _refuse(draft, command.id, key, "seen before: a command is executed once")
        return
    draft.seen[command.id] = command.received
    draft.journal_ids[command.id] = command.received
    if not wiring.takes_commands(key):
        detail = f"unknown target: no {command.kind} {command.target!r} here takes commands"
        if command.kind == "lamp" and command.target in wiring.site.lamps:
            detail = "the lamp has no node: command the segment that feeds it"
        _refuse(draft, command.id, key, detail)
        return
    if command.relinquish:
        _release(wiring, draft, key, command)
        return
    if command.relight:
        _relight(wiring, draft, key, command)
        return
    if command.boost:
        _boost(wiring, draft, key, command)
        return
    value = _value(wiring, key, command)
    limits = _limits(wiring, key)
    if limits is not None and not limits[0] <= value <= limits[1]:
        _refuse(draft, command.id, key, f"out of range: {value:g} is not within {limits[0]:g} to {limits[1]:g}")
        return
    until = _until(wiring, command, draft.now)
    if until <= draft.now:
        _refuse(draft, command.id, key, "expired: it would have ended before it came in")
        return
    ruling = legal.rule(wiring, key, value, draft.now, until)
    if ruling.refusal:
        _refuse(draft, command.id, key, ruling.refusal)
        return
    _set(wiring, draft, key, command, value, ruling)


def override_due(wiring: Wiring, draft: Draft, key: str) -> None:
    """End the override or the relight of ``key`` when its time has come."""
    override = draft.overrides.get(key)
    if override is None:
        return
    if override.until > draft.now:
        draft.schedule(f"override/{key}", override.until)
        return
    _drop(wiring, draft, key, "ended", id=override.command_id)


def _value(wiring: Wiring, key: str, command: Command) -> float:
    """What is commanded; of an allure for a whole building the mean of what its zones make of it."""
    target = wiring.targets.get(key)
    if command.allure is not None:
        zones = [wiring.site.zones[each.removeprefix("zone/")] for each in wiring.followers(key)]
        return sum(zone.setpoints.of(command.allure) for zone in zones) / len(zones)
    assert command.value is not None  # noqa: S101 - parse_command lets exactly one of the three through
    if target is not None and target.kind is Kind.SEGMENT:
        return 1.0 if command.value > 0 else 0.0
    return command.value


def _limits(wiring: Wiring, key: str) -> tuple[float, float] | None:
    """What every device that follows ``key`` can hold; None for a group, whose levels always fit."""
    if key.startswith("group/"):
        return None
    targets = [wiring.targets[each] for each in wiring.followers(key)]
    return max(target.minimum for target in targets), min(target.maximum for target in targets)


def _until(wiring: Wiring, command: Command, now: datetime) -> datetime:
    policy = wiring.site.overrides
    wanted = command.until
    if wanted is None:
        wanted = now + (command.lasting if command.lasting is not None else policy.default)
    until = min(wanted, now + policy.cap)
    return until_dark(until, now, wiring.site.place) if command.maintenance else until


def _set(wiring: Wiring, draft: Draft, key: str, command: Command, value: float, ruling: Ruling) -> None:
    before = draft.overrides.get(key)
    if before is not None and before.work_order not in ("", command.maintenance):
        draft.event("maintenance-ended", key, id=before.command_id, work_order=before.work_order)
    _keep(draft, key, command, value, ruling)
    _owe_result(wiring, draft, key, command.id)


def _relight(wiring: Wiring, draft: Draft, key: str, command: Command) -> None:
    """Light on demand: granted by the policy of a group within the law, or refused with what stands against it."""
    grant = relight.judge(wiring, draft, key, command)
    if isinstance(grant, str):
        _refuse(draft, command.id, key, grant)
        return
    ruling = legal.rule(wiring, key, grant.level, draft.now, grant.until)
    if ruling.refusal:
        _refuse(draft, command.id, key, ruling.refusal)
        return
    relight.count(draft, grant.group)
    _keep(draft, RELIGHT + key, command, grant.level, replace(ruling, note=ruling.note or grant.note))
    owed.owe(draft, command.id, key, wiring.followers(key))
    _touch(wiring, draft, RELIGHT + key)


def _boost(wiring: Wiring, draft: Draft, key: str, command: Command) -> None:
    """Warmth on demand: granted by the zone's policy, or refused with what stands against it."""
    grant = boost.judge(wiring, draft, key, command)
    if isinstance(grant, str):
        _refuse(draft, command.id, key, grant)
        return
    boost.count(draft, key)
    _keep(draft, BOOST + key, command, grant.value_c, Ruling(grant.until, note=grant.note))
    _owe_result(wiring, draft, key, command.id)


def _keep(draft: Draft, key: str, command: Command, value: float, ruling: Ruling) -> None:
    until, reason = ruling.until, ruling.reason(command.reason)
    override = Override(
        value, draft.now, until, reason, command.by, command.id, command.allure, ruling.note, command.maintenance
    )
    draft.overrides[key] = override
    draft.journal_overrides[key] = override
    draft.schedule(f"override/{key}", until)
    draft.event(
        f"{_word(key, override)}-set",
        target_of(key),
        id=command.id,
        value=value,
        until=until,
        reason=reason,
        by=command.by,
        **_order(override),
        **ruling.facts,
    )


def _word(key: str, override: Override) -> str:
    """The kind of an override, as the events call it."""
    if key.startswith((RELIGHT, BOOST)):
        return "relight" if key.startswith(RELIGHT) else "boost"
    return "maintenance" if override.work_order else "override"


def _order(override: Override) -> dict[str, object]:
    return {"work_order": override.work_order} if override.work_order else {}


def _release(wiring: Wiring, draft: Draft, key: str, command: Command) -> None:
    standing = [each for each in (key, RELIGHT + key, BOOST + key) if each in draft.overrides]
    if not standing:
        draft.results.append(CommandResult(command.id, key, "applied", "there was no override to release", draft.now))
        return
    for each in standing:
        _drop(wiring, draft, each, "released", id=command.id, by=command.by)
    _owe_result(wiring, draft, key, command.id)


def _drop(wiring: Wiring, draft: Draft, key: str, how: str, **facts: object) -> None:
    override = draft.overrides.get(key)
    if override is None:
        return
    draft.overrides.drop(key)
    draft.journal_overrides[key] = None
    draft.schedule(f"override/{key}", None)
    word = _word(key, override)
    draft.event(f"{word}-{how if word == 'override' else 'ended'}", target_of(key), **facts, **_order(override))
    _touch(wiring, draft, key)


def _touch(wiring: Wiring, draft: Draft, key: str) -> None:
    """What follows an override changed: lamps do not follow their contactor's, but its relight is theirs."""
    target = target_of(key)
    lighting.touch(wiring, draft, target)
    if target != key and target.startswith("segment/"):
        lighting.touch_lamps(wiring, draft, wiring.lamps_of_segment.get(target.removeprefix("segment/"), ()))


def _owe_result(wiring: Wiring, draft: Draft, key: str, command_id: str) -> None:
    owed.owe(draft, command_id, key, wiring.followers(key))
    lighting.touch(wiring, draft, key)


def _refuse(draft: Draft, command_id: str, key: str, detail: str) -> None:
    draft.results.append(CommandResult(command_id, key, "refused", detail, draft.now))
    draft.event("command-refused", key, id=command_id, detail=detail)
