"""Operators' commands judged and kept: what is refused, with its reason, and what becomes an override that ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from controller.core.commands import Command, Refusal
from controller.core.journal import Override
from controller.core.state import CommandResult, Draft, Output
from controller.core.wiring import Kind, Target, Wiring


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
    target = wiring.targets.get(key)
    if target is None:
        _refuse(
            draft,
            command.id,
            key,
            f"unknown target: no {command.kind} {command.target!r} here takes commands",
        )
        return
    if command.relinquish:
        _release(draft, target, command)
        return
    value = _value(wiring, target, command)
    if not target.minimum <= value <= target.maximum:
        limits = f"{target.minimum:g} to {target.maximum:g}"
        _refuse(draft, command.id, key, f"out of range: {value:g} is not within {limits}")
        return
    until = _until(wiring, command, draft.now)
    if until <= draft.now:
        _refuse(draft, command.id, key, "expired: it would have ended before it came in")
        return
    _set(draft, target, command, value, until)


def override_due(draft: Draft, key: str) -> None:
    """End the override of ``key`` when its time has come."""
    override = draft.overrides.get(key)
    if override is None:
        return
    if override.until > draft.now:
        draft.schedule(f"override/{key}", override.until)
        return
    _drop(draft, key, "override-ended", id=override.command_id)


def _value(wiring: Wiring, target: Target, command: Command) -> float:
    if command.allure is not None:
        return wiring.site.zones[target.id].setpoints.of(command.allure)
    assert command.value is not None  # noqa: S101 - parse_command lets exactly one of the three through
    if target.kind is Kind.SEGMENT:
        return 1.0 if command.value > 0 else 0.0
    return command.value


def _until(wiring: Wiring, command: Command, now: datetime) -> datetime:
    policy = wiring.site.overrides
    wanted = command.until
    if wanted is None:
        wanted = now + (command.lasting if command.lasting is not None else policy.default)
    return min(wanted, now + policy.cap)


def _set(draft: Draft, target: Target, command: Command, value: float, until: datetime) -> None:
    override = Override(value, draft.now, until, command.reason, command.by, command.id, command.allure)
    draft.overrides[target.key] = override
    draft.journal_overrides[target.key] = override
    draft.schedule(f"override/{target.key}", until)
    draft.event(
        "override-set",
        target.key,
        id=command.id,
        value=value,
        until=until,
        reason=command.reason,
        by=command.by,
    )
    _owe_result(draft, target, command.id)


def _release(draft: Draft, target: Target, command: Command) -> None:
    if draft.overrides.get(target.key) is None:
        draft.results.append(
            CommandResult(command.id, target.key, "applied", "there was no override to release", draft.now)
        )
        return
    _drop(draft, target.key, "override-released", id=command.id, by=command.by)
    _owe_result(draft, target, command.id)


def _drop(draft: Draft, key: str, event: str, **facts: object) -> None:
    draft.overrides.drop(key)
    draft.journal_overrides[key] = None
    draft.schedule(f"override/{key}", None)
    draft.event(event, key, **facts)
    draft.rearrange.add(key)


def _owe_result(draft: Draft, target: Target, command_id: str) -> None:
    output = draft.outputs.get(target.key)
    if output is not None and output.command_id:
        draft.results.append(
            CommandResult(output.command_id, target.key, "pending", "overtaken by a newer command", draft.now)
        )
    base = output if output is not None else Output((), draft.now)
    draft.outputs[target.key] = replace(base, command_id=command_id)
    draft.rearrange.add(target.key)


def _refuse(draft: Draft, command_id: str, key: str, detail: str) -> None:
    draft.results.append(CommandResult(command_id, key, "refused", detail, draft.now))
    draft.event("command-refused", key, id=command_id, detail=detail)
