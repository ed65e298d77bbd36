"""Light on demand inside the cut: a group's policy grants it, for minutes, and so often an hour and a night.

How often is counted as ``group/<id>/relights``; the last times stand in counters as well, so that a restart gives
nobody more light than the policy does. What it lights is worked out by ``dynamic.relight_slot``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.site import RelightPolicy
from controller.core import tallies
from controller.core.commands import Command
from controller.core.dynamic import RELIGHT, cut_now
from controller.core.state import Draft
from controller.core.wiring import Wiring

_RING = 64
"""How many times are kept; site files allow 60 an hour at most."""
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What a policy gives: ``group`` carries it; ``note`` says what was cut down."""

    group: str
    level: float
    until: datetime
    note: str = ""


def judge(wiring: Wiring, draft: Draft, key: str, command: Command) -> Grant | str:
    """What the relight of ``key`` may be at this instant, or in words why there is none."""
    policies = [found for group in groups_of(wiring, key) if (found := _policy(wiring, group)) is not None]
    if not policies:
        return f"{key} has no relight: no group around it has a policy for it"
    if key.removeprefix("segment/") in wiring.in_patterns and key.startswith("segment/"):
        return f"{key} is switched by relay patterns: ask for light for its group"
    carrier, policy = policies[0]
    plans = (wiring.site.groups[group].plan for group in groups_of(wiring, key))
    cuts = [cut for plan in plans if (cut := cut_now(draft, plan)) is not None and cut.before > 0.0]
    if not cuts:
        return f"not in the cut: the plan of {key} has no cut at this hour, or had no light before it"
    refused = _limited(draft, carrier, policy)
    if refused:
        return refused
    until, note = _until(draft, key, command, carrier, policy, max(cut.end for cut in cuts))
    return Grant(carrier, min(policy.level, max(cut.before for cut in cuts)), until, note)


def count(draft: Draft, group: str) -> None:
    """One more relight by the policy of ``group``."""
    name = tallies.relights(group)
    number = int(draft.counters.get(name) or 0.0)
    tallies.put(draft, f"{name}@{number % _RING}", draft.now.timestamp())
    tallies.count(draft, name)


def groups_of(wiring: Wiring, key: str) -> tuple[str, ...]:
    """The groups whose plans ``key`` follows."""
    kind, _, identity = key.partition("/")
    if kind == "group":
        return (identity,)
    own = wiring.group_of.get(key)
    return (own,) if own is not None else wiring.groups_feeding.get(identity, ()) if kind == "segment" else ()


def _policy(wiring: Wiring, group: str) -> tuple[str, RelightPolicy] | None:
    """The nearest policy of the group or of those around it, and whose it is."""
    carriers = ((each, wiring.site.groups[each].relight) for each in wiring.chain_of[group])
    return next(((each, policy) for each, policy in carriers if policy is not None), None)


def _limited(draft: Draft, group: str, policy: RelightPolicy) -> str:
    """Which limit of the policy is reached, in words; empty when none is."""
    tonight = tallies.tonight(draft, tallies.relights(group))
    if tonight >= policy.per_night:
        return f"group/{group} has had {tonight} relights tonight; {policy.per_night} are allowed"
    lately = [at for at in _times(draft, group) if 0.0 <= draft.now.timestamp() - at < _HOUR_S]
    if len(lately) < policy.per_hour:
        return ""
    wait = timedelta(seconds=round(_HOUR_S - (draft.now.timestamp() - min(lately[: policy.per_hour]))))
    return f"group/{group} has had {len(lately)} relights within the hour; the next one is free in {wait}"


def _times(draft: Draft, group: str) -> Iterator[float]:
    """When the last relights were, the newest first."""
    name = tallies.relights(group)
    number = int(draft.counters.get(name) or 0.0)
    for back in range(1, min(number, _RING) + 1):
        at = draft.counters.get(f"{name}@{(number - back) % _RING}")
        if at is not None:
            yield at


def _until(
    draft: Draft, key: str, command: Command, carrier: str, policy: RelightPolicy, cut_end: datetime
) -> tuple[datetime, str]:
    """The end of the relight, never before that of one that runs, and which bound shortened it."""
    wanted = command.until
    if wanted is None:
        wanted = draft.now + (command.lasting if command.lasting is not None else policy.lasting)
    latest, bound = draft.now + policy.cap, f"{policy.cap.total_seconds() / 60.0:g} min, the cap of group/{carrier}"
    if cut_end < latest:
        latest, bound = cut_end, "the end of the cut"
    standing = draft.overrides.get(RELIGHT + key)
    until = min(wanted, latest) if standing is None else min(max(wanted, standing.until), latest)
    return until, f"shortened to {bound}" if wanted > latest else ""
