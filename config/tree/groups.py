"""Groups: which lamps and segments follow which plan, nested where a group says so, and who is meant by a choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from config.lighting import GroupFile, LampsFile, RelightFile
from config.site import Group, RelightPolicy
from config.source import Where
from config.tree.draft import Draft
from config.tree.inventory import Inventory, lamps_by
from schedules.plan import Plan

_SHOWN = 5


def build_groups(draft: Draft, plans: Mapping[str, Plan], inventory: Inventory) -> dict[str, Group]:
    """The groups by id with their members of today; nobody may belong to two."""
    written: dict[str, GroupFile] = {}
    for each in draft.written.groups:
        spot, label = draft.spot(each.where("id")), draft.document.label(each.where("id"))
        if draft.unique("group", each.id, spot, label):
            written[each.id] = each
    parents = _parents(draft, written)
    owner: dict[str, str] = {}
    groups: dict[str, Group] = {}
    for name, group in written.items():
        lamps, segments = _members(draft, group, inventory), _segments(draft, group, inventory)
        _claim(draft, group, "lamps", lamps, owner)
        _claim(draft, group, "segments", segments, owner)
        plan = _plan(draft, written, parents, group, plans)
        if plan:
            nested = tuple(each for each in group.groups if parents.get(each) == name)
            groups[name] = Group(name, plan, lamps, segments, parents.get(name), nested, _relight(draft, group.relight))
    return groups


def _parents(draft: Draft, written: Mapping[str, GroupFile]) -> dict[str, str]:
    """The group that each nested one stands in; one that would stand in two, or in itself, is an error."""
    parents: dict[str, str] = {}
    for name, group in written.items():
        is_list = isinstance(draft.document.at(group.where("groups")), list)
        for index, nested in enumerate(group.groups):
            where = group.where("groups", index) if is_list else group.where("groups")
            if draft.find("group", nested, written, where) is None:
                continue
            if nested in parents:
                draft.error(where, f'group "{nested}" is already nested in "{parents[nested]}"')
            elif nested in (name, *_above(parents, name)):
                draft.error(where, f'group "{nested}" would be nested in itself')
            else:
                parents[nested] = name
    return parents


def _above(parents: Mapping[str, str], name: str) -> Iterator[str]:
    """The groups that ``name`` is nested in, the nearest first."""
    while name in parents:
        name = parents[name]
        yield name


def _plan(
    draft: Draft,
    written: Mapping[str, GroupFile],
    parents: Mapping[str, str],
    group: GroupFile,
    plans: Mapping[str, Plan],
) -> Plan | None:
    """Its own plan, else that of the nearest group around it that has one."""
    if group.plan is not None:
        return draft.find("plan", group.plan, plans, group.where("plan"))
    inherited = next((plan for name in _above(parents, group.id) if (plan := written[name].plan)), None)
    if inherited is None:
        draft.error(group.where(), "plan: missing, and no group around it has one")
        return None
    return plans.get(inherited)


def _relight(draft: Draft, written: RelightFile | None) -> RelightPolicy | None:
    if written is None:
        return None
    default = RelightPolicy()
    lasting, cap = written.lasting or default.lasting, written.cap or default.cap
    if cap < lasting:
        draft.error(written.where("cap" if written.cap else "for"), "cap must not be shorter than for")
    return replace(
        default, level=written.level, lasting=lasting, cap=cap, per_hour=written.per_hour, per_night=written.per_night
    )


def _members(draft: Draft, written: GroupFile, inventory: Inventory) -> tuple[str, ...]:
    """The lamps of a group's own, in the order of the inventory."""
    return () if written.lamps is None else chosen_lamps(draft, written.lamps, inventory)


def chosen_lamps(draft: Draft, written: LampsFile, inventory: Inventory) -> tuple[str, ...]:
    """The lamps that fit any of the words, in the order of the inventory."""
    chosen: set[str] = set()
    chosen.update(_chosen(draft, written, "street", lamps_by(inventory, "street")))
    chosen.update(_chosen(draft, written, "cabinet", _with_all(inventory.cabinets, lamps_by(inventory, "cabinet"))))
    chosen.update(_chosen(draft, written, "segment", _with_all(inventory.segments, lamps_by(inventory, "segment"))))
    chosen.update(_chosen(draft, written, "id", {name: [name] for name in inventory.lamps}, "lamp"))
    return tuple(name for name in inventory.lamps if name in chosen)


def _with_all(known: Mapping[str, object], found: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """``found`` with an empty list for those that exist but hold no lamp."""
    return {name: found.get(name, []) for name in known}


def _chosen(
    draft: Draft, written: LampsFile, key: str, known: Mapping[str, list[str]], kind: str = ""
) -> Iterator[str]:
    where: Where = written.where(key)
    is_list = isinstance(draft.document.at(where), list)
    for index, word in enumerate(getattr(written, key)):
        yield from draft.find(kind or key, word, known, (*where, index) if is_list else where) or ()


def _segments(draft: Draft, written: GroupFile, inventory: Inventory) -> tuple[str, ...]:
    """Segments of their own; one that feeds lamps follows these and has no plan besides."""
    feeding = lamps_by(inventory, "segment")
    own: list[str] = []
    is_list = isinstance(draft.document.at(written.where("segments")), list)
    for index, name in enumerate(written.segments):
        where = written.where("segments", index) if is_list else written.where("segments")
        segment = draft.find("segment", name, inventory.segments, where)
        if segment and name in feeding:
            lamps = ", ".join(feeding[name][:_SHOWN])
            draft.error(where, f'segment "{name}" feeds lamps ({lamps}) and follows them; list the lamps instead')
        elif segment:
            own.append(name)
    return tuple(own)


def _claim(draft: Draft, written: GroupFile, key: str, names: tuple[str, ...], owner: dict[str, str]) -> None:
    """One group each; those that another group has already are one error, at this group."""
    taken: dict[str, list[str]] = {}
    for name in names:
        first = owner.setdefault(f"{key}/{name}", written.id)
        if first != written.id:
            taken.setdefault(first, []).append(name)
    for first, doubled in taken.items():
        more = f" and {len(doubled) - _SHOWN} more" if len(doubled) > _SHOWN else ""
        listed = ", ".join(doubled[:_SHOWN]) + more
        draft.error(written.where(key), f'already in group "{first}": {listed}')
