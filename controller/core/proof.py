"""The proof of a night: one group's closed ledger and account as a page of JSON, hashed, and sealed with the others.

The schema is docs/proof.md. Member-seconds are whole and add up exactly; hours are means over the members, to the
thousandth, and add up to the night's length. A hash shows that a page was changed afterwards, not who wrote it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controller.core.accounts import NightAccount
from controller.core.journal import Record
from controller.core.ledger import PHASES, STATES, Deviation, Intervention, Kind, Ledger, Phase, Seen, Stretch, Wanted
from controller.core.ledger import seconds_of as phase_seconds

PROOF_SCHEMA, NIGHT_SCHEMA, ACCOUNTS_SCHEMA = "veilleuse/proof/1", "veilleuse/night/1", "veilleuse/accounts/1"
_HOUR_S = 3600.0
_WANTED = {Wanted.LIT: "lit", Wanted.DARK: "dark", Wanted.NOBODY: "nobody"}
_SEEN = {Seen.LIT: "lit", Seen.DARK: "dark", Seen.UNKNOWN: "unknown"}
_PHASE = {Phase.DAY: "day", Phase.NIGHT: "night", Phase.CUT: "cut"}

Page = dict[str, object]


@dataclass(frozen=True, slots=True)
class Proof:
    """One group over one night."""

    site: str
    site_name: str
    country: str
    timezone: str
    config_hash: str
    group: str
    ledger: Ledger
    without_node: int
    dark: tuple[datetime, datetime] | None
    """From sunset to sunrise."""
    cuts: tuple[tuple[datetime, datetime], ...]
    account: NightAccount | None
    energy_by: Mapping[str, int]
    """How many lamps' energy was measured how."""
    switch_ons: int
    previous: str
    """The seal of the night before, empty at the first."""
    legal: Mapping[str, object] | None = None
    """Legal category and derogation, where the group has one."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums of a closed ledger, whole member-seconds by (phase, wanted, seen)."""

    cells: tuple[int, ...]
    length_s: float

    def total(
        self, phase: Phase | None = None, wanted: Wanted | None = None, seen: Seen | None = None
    ) -> int:  # fmt: skip
        """The sum of the cells that fit."""
        return sum(
            cell
            for number, cell in enumerate(self.cells)
            if (phase is None or number // STATES == phase)
            and (wanted is None or number % STATES // 3 == wanted)
            and (seen is None or number % 3 == seen)
        )

    def hours(self, seconds: float) -> float:
        """Member-seconds as mean hours of a member, to the thousandth."""
        whole = self.total()
        return round(seconds / whole * self.length_s / _HOUR_S, 3) if whole else 0.0

    def share(self, part: int, *others: int) -> float | None:
        """The share of the first among all, to four digits; None of nothing."""
        whole = part + sum(others)
        return round(part / whole, 4) if whole else None


def figures_of(ledger: Ledger) -> Figures:
    """The sums of a closed ledger; what rounding leaves goes to the largest remainders, so that all add up."""
    target = round(sum(ledger.seconds))
    cells = [int(each) for each in ledger.seconds]
    by_rest = sorted(range(PHASES * STATES), key=lambda number: cells[number] - ledger.seconds[number])
    for number in by_rest[: target - sum(cells)]:
        cells[number] += 1
    return Figures(tuple(cells), (ledger.end - ledger.start).total_seconds())


def page_of(proof: Proof) -> Page:
    """The proof as the JSON of docs/proof.md, without its hash."""
    ledger, sums = proof.ledger, figures_of(proof.ledger)
    return {
        "schema": PROOF_SCHEMA,
        "site": proof.site,
        "site_name": proof.site_name,
        "country": proof.country,
        "timezone": proof.timezone,
        "config_hash": proof.config_hash,
        "group": proof.group,
        "night": ledger.night.isoformat(),
        "from": _text(ledger.start),
        "to": _text(ledger.end),
        "length_h": _hours(sums.length_s),
        "members": len(ledger.members),
        "without_node": proof.without_node,
        "programs": [
            {"from": _text(ran.at), "plan": ran.plan, "program": ran.program, "rule": ran.rule} for ran in ledger.ran
        ],
        "legal": None if proof.legal is None else dict(proof.legal),
        "sun_down": None if proof.dark is None else {"from": _text(proof.dark[0]), "to": _text(proof.dark[1])},
        "cuts": [{"from": _text(start), "to": _text(end)} for start, end in proof.cuts],
        **_measures(ledger, sums),
        "energy": _energy(proof),
        "switch_ons": proof.switch_ons,
        "commanded": list(_commanded(ledger)),
        "measured": list(_measured(ledger)),
        "deviations": [_deviation(each) for each in ledger.deviations],
        "deviations_dropped": ledger.deviations_dropped,
        "interventions": [_intervention(each) for each in ledger.interventions],
        "interventions_dropped": ledger.interventions_dropped,
        "alarms": dict(ledger.alarms),
        "previous": proof.previous or None,
    }


def canonical(page: Mapping[str, object]) -> str:
    """JSON with sorted keys, without blanks, whole numbers without a point: one text for one content."""
    return json.dumps(_plain(page), sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def digest(text: str) -> str:
    """SHA-256 of a canonical text in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def recorded(kind: str, target: str, page: Mapping[str, object]) -> Record:
    """A page as it is kept."""
    text = canonical(page)
    return Record(kind, str(page["night"]), target, digest(text), text)


def _measures(ledger: Ledger, sums: Figures) -> Page:
    """Everything that the sums say."""
    lit, dark, unknown = (sums.total(seen=seen) for seen in Seen)
    cut = {seen: sums.total(Phase.CUT, seen=seen) for seen in Seen}
    by_command = sums.total(Phase.CUT, Wanted.LIT, Seen.LIT)
    lit_h, dark_h = sums.hours(lit), sums.hours(dark)
    decided = phase_seconds(ledger.phases, ledger.start, ledger.end)
    return {
        "hours": {
            "lit": lit_h,
            "dark": dark_h,
            "unknown": max(0.0, round(_hours(sums.length_s) - lit_h - dark_h, 3)),
        },
        "cut": {
            "decided_h": _hours(decided[Phase.CUT]),
            "dark_h": sums.hours(cut[Seen.DARK]),
            "lit_by_command_h": sums.hours(by_command),
            "lit_against_command_h": sums.hours(cut[Seen.LIT] - by_command),
            "unknown_h": sums.hours(cut[Seen.UNKNOWN]),
        },
        "sun_down_h": _hours(decided[Phase.NIGHT] + decided[Phase.CUT]),
        "lit_by_day_h": sums.hours(sums.total(Phase.DAY, seen=Seen.LIT)),
        "lit_by_day_against_command_h": sums.hours(sums.total(Phase.DAY, Wanted.DARK, Seen.LIT)),
        "availability": sums.share(sums.total(None, Wanted.LIT, Seen.LIT), sums.total(None, Wanted.LIT, Seen.DARK)),
        "data_quality": sums.share(lit + dark, unknown),
        "data_quality_cut": sums.share(cut[Seen.LIT] + cut[Seen.DARK], cut[Seen.UNKNOWN]),
        "member_seconds": {
            name: {
                command: {word: sums.total(phase, wanted, seen) for seen, word in _SEEN.items()}
                for wanted, command in _WANTED.items()
            }
            for phase, name in _PHASE.items()
        },
    }


def _energy(proof: Proof) -> Page:
    account = proof.account
    if account is None:
        return {"used_kwh": None, "baseline_kwh": None, "saved_kwh": None, "by": dict(proof.energy_by)}
    used, baseline = round(account.energy_kwh, 3), round(account.baseline_kwh, 3)
    return {
        "used_kwh": used,
        "baseline_kwh": baseline,
        "saved_kwh": round(baseline - used, 3),
        "by": dict(proof.energy_by),
    }


def _commanded(ledger: Ledger) -> Iterator[Page]:
    for stretch, end in _merged(ledger, lambda each: (each.level, each.reason, each.wanted)):
        yield {
            "from": _text(stretch.at),
            "to": _text(end),
            "level": stretch.level,
            "members_lit": stretch.wanted,
            "reason": stretch.reason,
        }


def _measured(ledger: Ledger) -> Iterator[Page]:
    for stretch, end in _merged(ledger, lambda each: (each.lit, each.dark, each.unknown)):
        found = {"lit": stretch.lit, "dark": stretch.dark, "unknown": stretch.unknown}
        yield {"from": _text(stretch.at), "to": _text(end), **found}


def _merged(ledger: Ledger, key: Callable[[Stretch], object]) -> Iterator[tuple[Stretch, datetime]]:
    """The strip with neighbours that look the same as one, each with its end."""
    kept: list[Stretch] = []
    for stretch in ledger.strip:
        if stretch.at < ledger.end and (not kept or key(kept[-1]) != key(stretch)):
            kept.append(stretch)
    ends = [*(each.at for each in kept[1:]), ledger.end]
    yield from zip(kept, ends, strict=True)


def _deviation(each: Deviation) -> Page:
    return {
        "from": _text(each.start),
        "to": None if each.end is None else _text(each.end),
        "kind": each.kind.value,
        "members": each.members,
        "of": each.of,
        "names": list(each.names),
        "what": _WHAT[each.kind].format(n=each.members, of=each.of),
    }


_WHAT = {
    Kind.LIT: "commanded dark, {n} of {of} lit",
    Kind.DARK: "commanded lit, {n} of {of} dark",
    Kind.UNKNOWN: "{n} of {of} not measured",
    Kind.AWAY: "the gateway did not run: {n} of {of} neither commanded nor measured",
}


def _intervention(each: Intervention) -> Page:
    return {
        "id": each.id,
        "target": each.target,
        "kind": each.kind,
        "value": each.value,
        "from": _text(each.start),
        "to": None if each.end is None else _text(each.end),
        "by": each.by,
        "reason": each.reason,
        "work_order": each.work_order or None,
    }


def _plain(value: object) -> object:
    match value:
        case bool() | None | str() | int():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case Sequence():
            return [_plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no place in a record")


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _hours(seconds: float) -> float:
    return round(seconds / _HOUR_S, 3)
