"""The result that every command is owed: one target's, or a group's once all that follows it has settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from controller.core.dynamic import BOOST, RELIGHT
from controller.core.state import CommandResult, Debt, Draft, Output

_APPLIED, _PENDING = "applied", "pending"
_BY_WEIGHT = ("rejected", "no-feedback", "masked", _PENDING, _APPLIED)


def owe(draft: Draft, command_id: str, target: str, outputs: Collection[str]) -> None:
    """``command_id`` to ``target`` waits for these outputs; a command that waited there before is overtaken."""
    if not outputs:
        draft.results.append(CommandResult(command_id, target, _APPLIED, "nothing follows this group", draft.now))
        return
    if outputs != (target,):
        draft.debts[command_id] = Debt(target, frozenset(outputs))
    for key in outputs:
        output = draft.outputs.get(key) or Output((), draft.now)
        if output.command_id:
            settle(draft, key, output.command_id, _PENDING, "overtaken by a newer command")
        draft.outputs[key] = output._replace(command_id=command_id)


def carried(debts: Mapping[str, Debt], targets: Collection[str]) -> dict[str, Debt]:
    """The debts under another configuration: nobody waits for a target that is gone, nor for nobody."""
    narrowed = {
        name: replace(debt, waiting=frozenset(key for key in debt.waiting if key in targets))
        for name, debt in debts.items()
    }
    return {name: debt for name, debt in narrowed.items() if debt.waiting}


def settle(draft: Draft, key: str, command_id: str, outcome: str, detail: str) -> None:
    """One output says what became of a command: its result, or one more of a group's."""
    debt = draft.debts.get(command_id)
    if debt is None:
        draft.results.append(CommandResult(command_id, key, outcome, _noted(draft, key, command_id, detail), draft.now))
        return
    outcomes = {**debt.outcomes, outcome: debt.outcomes.get(outcome, 0) + 1}
    worst = debt.worst
    if outcome != _APPLIED and not worst:
        worst = f"{key} {outcome}" + (f": {detail}" if detail else "")
    debt = Debt(debt.target, debt.waiting - {key}, outcomes, worst)
    draft.debts[command_id] = debt
    if not debt.waiting:
        draft.debts.drop(command_id)
        draft.results.append(_whole(command_id, debt, draft))


def _whole(command_id: str, debt: Debt, draft: Draft) -> CommandResult:
    """The heaviest outcome stands for the group; how many had which is told beside it."""
    outcome = next(word for word in _BY_WEIGHT if word in debt.outcomes)
    counts = ", ".join(f"{debt.outcomes[word]} {word}" for word in reversed(_BY_WEIGHT) if word in debt.outcomes)
    detail = f"{counts}; {debt.worst}" if debt.worst else counts
    return CommandResult(command_id, debt.target, outcome, _noted(draft, debt.target, command_id, detail), draft.now)


def _noted(draft: Draft, key: str, command_id: str, detail: str) -> str:
    """``detail``, and what accepting the command changed about it."""
    standing = (draft.overrides.get(each) for each in (key, RELIGHT + key, BOOST + key))
    notes = (each.note for each in standing if each is not None and each.command_id == command_id)
    return "; ".join(filter(None, (detail, *notes)))
