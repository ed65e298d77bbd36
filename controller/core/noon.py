"""Noon: the books of the night are closed, proved and sealed, and the next ones are opened. Also at every start.

The proofs of one night and its accounts are sealed by a record of their hashes, which holds the hash of the night
before: to change one page afterwards means to change every record since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from config.site import Group
from controller.core import accounts, counting, evidence, tallies
from controller.core.accounts import NightAccount, gained
from controller.core.counted import By
from controller.core.ledger import Ledger, OpenLedger, Programme, Seen, Wanted, state_of
from controller.core.phases import dark_span, phases_of
from controller.core.proof import ACCOUNTS_SCHEMA, NIGHT_SCHEMA, Page, Proof, page_of, recorded
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules.cuts import cuts
from schedules.nights import DAY, night_of, noon
from schedules.plan import program_for

_AWAY = state_of(Wanted.NOBODY, Seen.UNKNOWN)
_QUANTITIES = ("energy_kwh", "burning_h", "switch_ons")
_Row = tuple[float | None, float | None, float | None, str]
"""What one thing used, burnt and switched in a night, and how its energy was measured."""


def awakened(ledgers: Mapping[str, Ledger], counters: Mapping[str, float]) -> dict[str, Ledger]:
    """The ledgers of an earlier run: nobody commanded or measured since it was last alive."""
    alive = counters.get(counting.ALIVE)
    found = {}
    for group, ledger in ledgers.items():
        opened = OpenLedger(ledger)
        opened.desert(max(ledger.at, datetime.fromtimestamp(alive, UTC)) if alive is not None else ledger.at)
        found[group] = opened.frozen()
    return found


def begin(wiring: Wiring, draft: Draft) -> None:
    """Enter the books of the night that it is now: a start, a reload or a clock that was set back."""
    zone = wiring.site.place.zone
    tonight = night_of(draft.now, zone)
    _close_overdue(wiring, draft, tonight)
    accounts.begin(wiring, draft)
    for group in list(draft.books):
        ledger = draft.books.peek(group)
        if group not in wiring.membership.of_group or ledger is None or ledger.end != noon(tonight + DAY, zone):
            draft.books.drop(group)
    for group in wiring.membership.of_group:
        opened = draft.books.open(group)
        if opened is None:
            _open(wiring, draft, group, tonight, {})
        else:
            _adapt(wiring, draft, opened, group, tonight)
    draft.schedule("night", noon(tonight + DAY, zone))


def take_stock(wiring: Wiring, draft: Draft) -> None:
    """Every member as it is now, after a start or a reload."""
    draft.touched_groups.update(wiring.membership.of_group)
    evidence.releveled(wiring, draft)
    for group, members in wiring.membership.of_group.items():
        ledger = draft.books.open(group)
        if ledger is not None:
            for member in members:
                ledger.move(member.key, evidence.state_now(wiring, draft, member), draft.now)


def due(wiring: Wiring, draft: Draft) -> None:
    """Close the night when its noon has come."""
    at = draft.due.get("night")
    if at is None or at > draft.now or draft.night is None:
        return
    zone = wiring.site.place.zone
    closed = _close(wiring, draft, draft.night)
    tonight = night_of(draft.now, zone)
    follows = tonight == draft.night + DAY
    draft.night = tonight
    accounts.open_night(draft)
    for group in wiring.membership.of_group:
        ledger = closed.get(group)
        _open(wiring, draft, group, tonight, ledger.members if ledger is not None and follows else {}, ledger)
    if not follows:
        take_stock(wiring, draft)
    draft.schedule("night", noon(tonight + DAY, zone))


def _close_overdue(wiring: Wiring, draft: Draft, tonight: date) -> None:
    """A night that ended while the daemon was away."""
    ledgers = (draft.books.peek(group) for group in draft.books)
    ends = [ledger.end for ledger in ledgers if ledger is not None and ledger.end <= draft.now]
    if ends:
        draft.night = night_of(max(ends) - timedelta(seconds=1), wiring.site.place.zone)
        if draft.night < tonight:
            _close(wiring, draft, draft.night)


def _open(
    wiring: Wiring, draft: Draft, group_id: str, night: date, members: Mapping[str, int], before: Ledger | None = None
) -> None:
    """A fresh ledger from noon on; a member that nobody knows was nobody's until now."""
    group, zone = wiring.site.groups[group_id], wiring.site.place.zone
    start, end = noon(night, zone), noon(night + DAY, zone)
    ran = (_programme(group, night, start),)
    ledger = draft.books.begin(
        group_id, Ledger(night, start, end, start, wiring.site.timing.settle_s, phases_of(group.plan, night), ran)
    )
    for member in wiring.membership.of_group[group_id]:
        ledger.move(member.key, members.get(member.key, _AWAY), start)
    if before is not None and members:
        ledger.command(before.level, before.reason, start)
    evidence.standing(wiring, draft, group_id, ledger)


def _adapt(wiring: Wiring, draft: Draft, ledger: OpenLedger, group_id: str, night: date) -> None:
    """The ledger goes on under another configuration, or another run."""
    for each in ledger.interventions:
        relight = each.kind == "relight"
        if each.end is None and draft.overrides.get(f"relight/{each.target}" if relight else each.target) is None:
            ledger.end_intervention(each.target, relight, ledger.at)  # it ended while nobody looked
    group = wiring.site.groups[group_id]
    ledger.plan(_programme(group, night, draft.now), phases_of(group.plan, night), draft.now)
    keys = {member.key for member in wiring.membership.of_group[group_id]}
    for key in [key for key in ledger.members if key not in keys]:
        ledger.leave(key, draft.now)


def _programme(group: Group, night: date, at: datetime) -> Programme:
    program, rule = program_for(group.plan, night)
    return Programme(at, group.plan.id, program.id, rule)


def _close(wiring: Wiring, draft: Draft, night: date) -> dict[str, Ledger]:
    """Close every ledger of the night; their proofs and accounts go on record, sealed together."""
    for device in wiring.membership.of_device:
        evidence.grown_old(wiring, draft, device)
    counting.settle(wiring, draft)
    closed: dict[str, Ledger] = {}
    for group in wiring.membership.of_group:
        opened = draft.books.open(group)
        if opened is not None:
            closed[group] = opened.close()
    proofs = {group: _proof(wiring, draft, group, ledger) for group, ledger in closed.items()}
    pages = {group: page_of(proof) for group, proof in proofs.items()}
    records = {group: recorded("proof", f"group/{group}", page) for group, page in pages.items()}
    site = f"site/{wiring.site.id}"
    kept = recorded("accounts", site, _accounts(wiring, draft, night))
    hashes = {f"group/{group}": record.sha256 for group, record in records.items()}
    seal = recorded("night", site, _seal(wiring, draft, night, hashes, kept.sha256))
    draft.records += [*records.values(), kept, seal]
    draft.seal = seal.sha256
    tallies.tell_presences(wiring, draft)
    for group, page in pages.items():
        _tell(wiring, draft, group, proofs[group].account, page, records[group].sha256)
    return closed


def _proof(wiring: Wiring, draft: Draft, group_id: str, ledger: Ledger) -> Proof:
    site, group = wiring.site, wiring.site.groups[group_id]
    counted = Counter(wiring.counted.energy_by[f"lamp/{lamp}"].value for lamp in group.lamps)
    members = wiring.membership.of_group[group_id]
    return Proof(
        site=site.id,
        site_name=site.name,
        country=site.country,
        timezone=str(site.place.zone),
        config_hash=site.config_hash,
        group=group_id,
        ledger=ledger,
        without_node=sum(not member.has_node for member in members),
        dark=dark_span(ledger.night, site.place),
        cuts=tuple((cut.start, cut.end) for cut in cuts(group.plan, ledger.night)),
        account=accounts.night_account(wiring, draft, group),
        energy_by=counted,
        switch_ons=round(sum(gained(draft, f"{member.key}/switch_ons") for member in members)),
        previous=draft.seal,
        legal=_legal(group, ledger.night),
    )


def _legal(group: Group, night: date) -> Page | None:
    """What binds the group, and the derogations of that night."""
    if group.legal is None:
        return None
    category = group.legal.category
    leaves = (each for each in group.legal.derogations if each.holds_on(night))
    return {
        "category": category.id,
        "title": category.title,
        "title_local": category.title_local,
        "law": category.law,
        "rule": category.rule,
        "derogations": [{"reference": each.reference, "issuer": each.issuer, "reason": each.reason} for each in leaves],
    }


def _seal(wiring: Wiring, draft: Draft, night: date, hashes: Mapping[str, str], kept: str) -> Page:
    zone = wiring.site.place.zone
    return {
        "schema": NIGHT_SCHEMA,
        "site": wiring.site.id,
        "night": night.isoformat(),
        "from": noon(night, zone).isoformat().replace("+00:00", "Z"),
        "to": noon(night + DAY, zone).isoformat().replace("+00:00", "Z"),
        "proofs": dict(hashes),
        "accounts": kept,
        "previous": draft.seal or None,
    }


def _accounts(wiring: Wiring, draft: Draft, night: date) -> Page:
    """What every lamp, segment and cabinet used, burnt and switched; groups and the site as sums over lamps."""
    energy_by = wiring.counted.energy_by
    rows = {key: _row(draft, key, by.value) for key, by in energy_by.items()}
    for group in wiring.site.groups.values():
        if group.lamps:
            rows[f"group/{group.id}"] = _sum(rows[f"lamp/{lamp}"] for lamp in group.lamps)
    if wiring.site.lamps:
        rows[f"site/{wiring.site.id}"] = _sum(rows[f"lamp/{lamp}"] for lamp in wiring.site.lamps)
    return {
        "schema": ACCOUNTS_SCHEMA,
        "site": wiring.site.id,
        "night": night.isoformat(),
        "columns": [*_QUANTITIES, "energy_by"],
        "rows": rows,
    }


def _row(draft: Draft, key: str, by: str) -> _Row:
    """What the counters of ``key`` gained; None where nothing was ever counted."""
    found = (gained(draft, f"{key}/{name}") if f"{key}/{name}" in draft.counters else None for name in _QUANTITIES)
    energy, burning, switch_ons = (None if each is None else round(each, 3) for each in found)
    return energy, burning, switch_ons, by


def _sum(rows: Iterable[_Row]) -> _Row:
    energy, burning, switch_ons = (
        round(sum(each or 0.0 for each in column), 3) for column in zip(*(row[:3] for row in rows), strict=True)
    )
    return energy, burning, switch_ons, By.LAMPS


def _tell(wiring: Wiring, draft: Draft, group: str, account: NightAccount | None, page: Page, sha256: str) -> None:
    """The ``night`` event: the account, the figures of the proof, and the hashes for a witness elsewhere."""
    cut = page["cut"]
    assert isinstance(cut, dict)  # noqa: S101 - page_of made it
    energy = accounts.figures(account) if account is not None else {"night": page["night"]}
    energy |= tallies.of_group(draft, wiring.site.groups[group])
    deviations = page["deviations"]
    draft.event(
        "night",
        f"group/{group}",
        **energy,
        cut_h=cut["decided_h"],
        cut_dark_h=cut["dark_h"],
        availability=page["availability"],
        data_quality=page["data_quality"],
        deviations=len(deviations) if isinstance(deviations, list) else 0,
        switch_ons=page["switch_ons"],
        proof=sha256,
        seal=draft.seal,
    )
