"""Exports as tables: CSV with a heading, and the proofs as aligned text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from controller.cli.export.nights import SealedNight, SealedProof
from controller.cli.status import aligned
from controller.core.journal import Record

ENERGY = ("night", "target", "energy_kwh", "burning_h", "switch_ons", "energy_by")
PROOFS = (
    "night", "group", "members", "cut_h", "cut_dark_h", "cut_lit_by_command_h", "cut_lit_against_command_h",
    "cut_unknown_h", "lit_h", "dark_h", "unknown_h", "lit_by_day_h", "availability", "data_quality", "data_quality_cut",
    "used_kwh", "baseline_kwh", "saved_kwh", "switch_ons", "deviations", "interventions", "sha256", "seal", "verdict",
)  # fmt: skip
_READINGS = ("entity", "ts", "quantity", "value")
_BLOCK = 1000


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """CSV with a heading; what is not known is empty."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def proofs(nights: Sequence[SealedNight]) -> str:
    """One line a night and group."""
    return csv_text(PROOFS, (_row(night, proof) for night in nights for proof in night.proofs))


def lines(nights: Sequence[SealedNight]) -> Iterator[str]:
    """The proofs for a terminal."""
    heading = ("group", "members", "cut", "dark in it", "unknown", "kWh", "saved", "deviations", "proof")
    for number, night in enumerate(nights):
        yield from [""] if number else []
        yield f"night of {night.night}: {night.verdict}, sealed {night.sha256[:16]}"
        rows: list[Sequence[str]] = [("  group", *heading[1:])]
        rows += [_line(proof) for proof in night.proofs]
        yield from aligned(rows)


def energy_rows(records: Iterable[Record], wanted: set[str] | None) -> Iterator[dict[str, object]]:
    """What every lamp, segment, cabinet and group used, night by night; ``wanted`` keeps some of them."""
    for record in records:
        rows = json.loads(record.payload)["rows"]
        for target, row in rows.items():
            if wanted is None or target in wanted:
                yield dict(zip(ENERGY, (record.night, target, *row), strict=True))


def reading_blocks(samples: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """One line a quantity, a thousand readings at a time."""
    yield csv_text(_READINGS, ())
    rest = iter(samples)
    while block := list(islice(rest, _BLOCK)):
        rows = (
            {"entity": each.get("entity"), "ts": each.get("ts"), "quantity": name, "value": value}
            for each in block
            for name, value in each.items()
            if name not in ("entity", "ts")
        )
        yield csv_text(_READINGS, rows).partition("\n")[2]


def _row(night: SealedNight, proof: SealedProof) -> dict[str, object]:
    page = proof.page
    cut, hours, energy = page["cut"], page["hours"], page["energy"]
    return {
        "night": night.night,
        "group": page["group"],
        "members": page["members"],
        "cut_h": cut["decided_h"],
        **{f"cut_{name}": cut[name] for name in ("dark_h", "lit_by_command_h", "lit_against_command_h", "unknown_h")},
        **{f"{name}_h": hours[name] for name in ("lit", "dark", "unknown")},
        **{name: page[name] for name in ("lit_by_day_h", "availability", "data_quality", "data_quality_cut")},
        **{name: energy[name] for name in ("used_kwh", "baseline_kwh", "saved_kwh")},
        "switch_ons": page["switch_ons"],
        "deviations": len(page["deviations"]) + page["deviations_dropped"],
        "interventions": len(page["interventions"]) + page["interventions_dropped"],
        "sha256": proof.sha256,
        "seal": night.sha256,
        "verdict": night.verdict,
    }


def _line(proof: SealedProof) -> Sequence[str]:
    page = proof.page
    cut, energy = page["cut"], page["energy"]
    return (
        f"  {page['group']}",
        str(page["members"]),
        f"{cut['decided_h']:.2f} h",
        f"{cut['dark_h']:.2f} h",
        f"{cut['unknown_h']:.2f} h",
        _figure(energy["used_kwh"]),
        _figure(energy["saved_kwh"]),
        str(len(page["deviations"]) + page["deviations_dropped"]),
        proof.sha256[:16],
    )


def _figure(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, int | float) else "-"
