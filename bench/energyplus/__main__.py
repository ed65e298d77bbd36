"""``make energyplus``: a reference building under its own schedules, a fixed timetable and the daemon's core.

python -m bench.energyplus [--model NAME] [--weather NAME] [--from MM-DD] [--to MM-DD] [--hours TEXT] [--doc]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import date
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from bench.energyplus.contest import CLIMATES, MODELS, Case, outcome_of
from bench.energyplus.leaders import LEADERS
from bench.energyplus.page import USUAL, facts, tables, write
from bench.energyplus.plant import EnergyPlusFault
from bench.energyplus.tally import Outcome
from bench.energyplus.town import hours
from config.load import SiteError, load_site
from schedules.occupancy import OccupancyError

_YEAR = 2023
"""Begins on a Sunday, as the reference buildings' own year does."""


def _words() -> argparse.Namespace:
    usual = Case()
    parser = argparse.ArgumentParser(prog="make energyplus", description=__doc__)
    parser.add_argument("--model", default=usual.model, choices=sorted(MODELS), metavar="NAME", help=_known(MODELS))
    parser.add_argument(
        "--weather", default=usual.weather, choices=sorted(CLIMATES), metavar="NAME", help=_known(CLIMATES)
    )
    parser.add_argument("--from", dest="first", type=_day, default=usual.first, help=f"MM-DD ({_YEAR}) or YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=_day, default=usual.last, help="the last day")
    parser.add_argument("--hours", dest="opening", default=usual.opening, help="'mon-fri 08:00-17:00, sat 09:00-12:00'")
    parser.add_argument("--site", dest="template", type=Path, default=usual.template, help="directory with one zone")
    parser.add_argument("--only", choices=sorted(LEADERS), action="append", help="one of the runs")
    parser.add_argument("--json", dest="as_json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--doc", action="store_true", help="run the usual cases and write docs/energyplus.md and .svg")
    words = parser.parse_args()
    try:
        hours(words.opening)
        load_site(words.template, {})
    except (OccupancyError, SiteError) as error:
        parser.error(str(error))
    if words.last < words.first:
        parser.error("--to lies before --from")
    return words


def _known(names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names))


def _day(text: str) -> date:
    return date.fromisoformat(text if text.count("-") > 1 else f"{_YEAR}-{text}")


def _runs(case: Case, names: Sequence[str]) -> list[Outcome]:
    """Each run in a process of its own: the library keeps something of a run that a second one stumbles over."""
    fresh = get_context("spawn")
    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1), fresh, max_tasks_per_child=1) as runners:
        return list(runners.map(outcome_of, repeat(case), names))


def main() -> int:
    """Exit code: 0 done, 1 EnergyPlus stopped."""
    words = _words()
    case = Case(words.model, words.weather, words.first, words.last, words.opening, template=words.template)
    names = list(words.only or LEADERS)
    cases = [replace(each, template=words.template) for each in USUAL] if words.doc else [case]
    ran: list[tuple[Case, list[Outcome]]] = []
    try:
        for each in cases:
            outcomes = _runs(each, names)
            ran.append((each, outcomes))
            if words.as_json:
                print(json.dumps(facts(each, outcomes), indent=2), flush=True)
            else:
                print("\n\n".join(table.text() for table in tables(each, outcomes)), flush=True)
    except (EnergyPlusFault, BrokenProcessPool) as fault:
        print(f"energyplus: {fault}", file=sys.stderr)
        return 1
    if words.doc:
        write(ran)
    return 0


if __name__ == "__main__":
    sys.exit(main())
