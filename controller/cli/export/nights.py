"""Closed nights as they were kept, and whether each is still what was sealed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.core.journal import Record
from controller.core.proof import digest
from controller.store.reading import Reading

_EVER = "0001-01-01"
INTACT = "intact"

Page = Mapping[str, Any]
"""A proof as docs/proof.md describes it."""


@dataclass(frozen=True, slots=True)
class SealedProof:
    """One group's proof and its hash."""

    sha256: str
    page: Page


@dataclass(frozen=True, slots=True)
class SealedNight:
    """One night's record, its proofs, and what became of the seal: ``intact``, or what is wrong with it."""

    night: str
    sha256: str
    record: Page
    verdict: str
    proofs: tuple[SealedProof, ...]

    @property
    def is_intact(self) -> bool:
        """Whether everything is as it was sealed."""
        return self.verdict == INTACT

    @property
    def facts(self) -> dict[str, object]:
        """For scripts."""
        return {
            "night": self.night,
            "sha256": self.sha256,
            "verdict": self.verdict,
            "record": self.record,
            "proofs": [{"sha256": each.sha256, "proof": each.page} for each in self.proofs],
        }


def nights_of(file: Reading, first: str, last: str, group: str | None) -> list[SealedNight]:
    """The nights from ``first`` to ``last``, with the proofs of one group or of all. Raises NoStore."""
    seals = list(file.records("night", _EVER, last))
    proofs: defaultdict[str, list[Record]] = defaultdict(list)
    for record in file.records("proof", first, last):
        proofs[record.night].append(record)
    accounts = list(file.records("accounts", first, last))
    before = {seal.sha256: previous for previous, seal in zip([None, *seals], seals, strict=False)}
    return [
        _night(seal, before[seal.sha256], proofs[seal.night], accounts, group) for seal in seals if seal.night >= first
    ]


def _night(
    seal: Record, previous: Record | None, proofs: Sequence[Record], accounts: Sequence[Record], group: str | None
) -> SealedNight:
    record = _parsed(seal.payload)
    sealed = record.get("proofs")
    hashes: Mapping[str, str] = sealed if isinstance(sealed, Mapping) else {}
    own = [each for each in proofs if hashes.get(each.target) == each.sha256]
    wrong = [
        *_of_seal(seal, record, previous),
        *_of_proofs(hashes, own),
        *_of_accounts(record, accounts),
    ]
    shown = (each for each in own if group is None or each.target == f"group/{group}")
    pages = tuple(SealedProof(each.sha256, _parsed(each.payload)) for each in shown)
    return SealedNight(seal.night, seal.sha256, record, "; ".join(wrong) or INTACT, pages)


def _of_seal(seal: Record, record: Page, previous: Record | None) -> Iterable[str]:
    if digest(seal.payload) != seal.sha256:
        yield "the night's record was altered"
    known = record.get("previous")
    if previous is not None and known != previous.sha256:
        yield "the record of the night before is another than the one that was sealed"


def _of_proofs(hashes: Mapping[str, str], own: Sequence[Record]) -> Iterable[str]:
    yield from (f"the proof of {each.target} was altered" for each in own if digest(each.payload) != each.sha256)
    yield from (f"the proof of {target} is missing" for target in hashes if target not in {each.target for each in own})


def _of_accounts(record: Page, accounts: Sequence[Record]) -> Iterable[str]:
    kept = [each for each in accounts if each.sha256 == record.get("accounts")]
    if not kept:
        yield "the night's accounts are missing"
    elif digest(kept[0].payload) != kept[0].sha256:
        yield "the night's accounts were altered"


def _parsed(payload: str) -> Page:
    """What was written; nothing where it is no JSON any more."""
    try:
        found = json.loads(payload)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
