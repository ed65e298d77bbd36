"""Legal hours of groups, and the derogations from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from config.fields import ALL_NIGHT
from config.legal_hours import known_countries, legal_categories, legal_path
from config.lighting import DerogationFile, GroupFile, LegalFile
from config.problems import known_words
from config.site import Group
from config.source import Where
from config.tree.draft import Draft
from config.tree.plans import days_of, moment_of
from schedules.calendars import Calendar
from schedules.legal import Derogation, LegalCategory, LegalHours
from schedules.occupancy import Occupancy


def build_legal(
    draft: Draft,
    groups: Mapping[str, Group],
    occupancies: Mapping[str, Occupancy],
    calendars: Mapping[str, Calendar],
) -> tuple[dict[str, Group], dict[str, Derogation]]:
    """The groups with the hours that bind them, their own or those of the nearest group around; derogations by id."""
    known = _categories(draft)
    written = {group.id: group for group in draft.written.groups}
    hours = {name: _hours(draft, group, known, occupancies) for name, group in written.items()}
    chains = {name: [each for each in _chain(groups, name) if written[each].legal is not None] for name in groups}
    derogations = _derogations(draft, calendars, occupancies)
    leave = {name: [derogations[d] for d in named if d in derogations] for name, named in _named(draft, chains).items()}
    made: dict[object, LegalHours] = {}
    found: dict[str, Group] = {}
    for name, group in groups.items():
        law = hours[chains[name][0]] if chains[name] else None
        found[name] = group if law is None else replace(group, legal=_shared(made, law, tuple(leave[name])))
    return found, derogations


def _chain(groups: Mapping[str, Group], name: str | None) -> Iterator[str]:
    """A group and those that it is nested in, the nearest first."""
    while name is not None and name in groups:
        yield name
        name = groups[name].parent


def _shared(made: dict[object, LegalHours], law: LegalHours, leave: tuple[Derogation, ...]) -> LegalHours:
    """One object for all groups that are bound alike: they are equal by identity, and share their nights."""
    key = (law.category, law.occupancy, leave)
    return made.setdefault(key, replace(law, derogations=leave))


def _derogations(
    draft: Draft, calendars: Mapping[str, Calendar], occupancies: Mapping[str, Occupancy]
) -> dict[str, Derogation]:
    found = (_derogation(draft, written, calendars, occupancies) for written in draft.written.derogations)
    return {derogation.id: derogation for derogation in found if derogation is not None}


def _named(draft: Draft, chains: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The derogations of each group, those of the groups around it included."""
    own: dict[str, list[str]] = {}
    for written in draft.written.derogations:
        for name, where in _words(draft, written):
            if draft.find("group", name, chains, where) is None:
                continue
            if not chains[name]:
                # From nothing none is needed: a category was forgotten, or another group is meant.
                draft.error(where, f'group "{name}" has no legal hours to derogate from; write legal: ... there')
            own.setdefault(name, []).append(written.id)
    return {
        name: [each for group in _around(name, chain) for each in own.get(group, ())] for name, chain in chains.items()
    }


def _around(name: str, chain: list[str]) -> list[str]:
    """A group, and the one whose hours it has."""
    return list(dict.fromkeys([name, *chain[:1]]))


def _categories(draft: Draft) -> Mapping[str, LegalCategory] | None:
    """The categories of the site's country; None where there is none, or no need of any."""
    head = draft.written.site
    country = head.country if head else "FR"
    bound = [group for group in draft.written.groups if group.legal is not None]
    if not bound:
        return None
    if country in known_countries():
        draft.files.count(legal_path(country))
        return legal_categories(country)
    for group in bound:
        message = f"no legal hours of country {country} come with this version; known: {known_words(known_countries())}"
        draft.error(group.where("legal"), message)
    return None


def _hours(
    draft: Draft,
    group: GroupFile,
    known: Mapping[str, LegalCategory] | None,
    occupancies: Mapping[str, Occupancy],
) -> LegalHours | None:
    written = group.legal
    if written is None or known is None:
        return None
    category = draft.find("legal category", written.category, known, _place(draft, group, "category"))
    occupancy = None
    if written.occupancy is not None:
        occupancy = draft.find("occupancy", written.occupancy, occupancies, _place(draft, group, "occupancy"))
    if category is None or not _activity_fits(draft, group, written, category):
        return None
    return LegalHours(category, occupancy)


def _activity_fits(draft: Draft, group: GroupFile, written: LegalFile, category: LegalCategory) -> bool:
    """Hours after an activity need one, others must not seem to follow it."""
    if written.occupancy is None and category.needs_activity:
        message = f"{category.id} follows an activity: write legal: {{category: {category.id}, occupancy: ...}}"
        draft.error(group.where("legal"), message)
        return False
    if written.occupancy is not None and category.off_after is None:
        draft.error(_place(draft, group, "occupancy"), f"the hours of {category.id} follow no activity: no effect")
        return False
    return True


def _place(draft: Draft, group: GroupFile, key: str) -> Where:
    """Where a key of ``legal`` stands, also where one word stands for the category."""
    where = group.where("legal", key)
    return where if draft.document.at(where) is not None else group.where("legal")


def _derogation(
    draft: Draft, written: DerogationFile, calendars: Mapping[str, Calendar], occupancies: Mapping[str, Occupancy]
) -> Derogation | None:
    label = draft.document.label(written.where("id"))
    is_first = draft.unique("derogation", written.id, draft.spot(written.where("id")), label)
    days = days_of(draft, written, "on", calendars) if written.on else None
    if written.to < written.begin:
        draft.error(written.where("to"), f"{written.to} is before the first night, {written.begin}")
        return None
    if not is_first or (written.on and days is None):
        return None
    all_night = written.until == ALL_NIGHT
    until = None if all_night else moment_of(draft, written.until, occupancies, written.where("until"))
    return Derogation(
        written.id, written.begin, written.to, until, written.reference, written.issuer, written.reason or "", days
    )


def _words(draft: Draft, written: DerogationFile) -> Iterator[tuple[str, Where]]:
    is_list = isinstance(draft.document.at(written.where("groups")), list)
    for index, name in enumerate(written.groups):
        yield name, written.where("groups", index) if is_list else written.where("groups")
