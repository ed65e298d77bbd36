"""``veilleuse replay``: a recording of the field, run through the same core again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.exits import WRONG
from controller.cli.targets import leading_site, loaded, printable

if TYPE_CHECKING:
    from controller.core.state import Step

EXAMPLE = """\b
Example:
  veilleuse run /etc/veilleuse --record night.jsonl
  veilleuse replay /etc/veilleuse night.jsonl
  veilleuse replay . night.jsonl --json | jq 'select(.kind == "write")'
"""

Line = dict[str, object]


@click.command(epilog=EXAMPLE)
@leading_site
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, the summary last.")
def command(site: Path, file: Path, as_json: bool) -> None:
    """Every write, event and command result that the inputs in FILE lead to under the plan of SITE.

    FILE is what `veilleuse run --record` wrote. Nothing is sent to anybody, and the same two give the same lines
    again: with the site of that day it is what happened, with another plan it is what would have.
    """
    from controller.core.replay import ReplayError, beginning_of, replay

    town = loaded(site)
    summary = Summary()
    try:
        with file.open(encoding="utf-8", errors="replace") as recorded:
            beginning = recorded.readline()
            if beginning and beginning_of(beginning).config_hash != town.config_hash:
                click.echo(f"{file}: recorded under other site files than {site} has now", err=True)
            for step in replay(town, chain([beginning] if beginning else [], recorded)):
                for line in _lines(step):
                    summary.count(line)
                    click.echo(json.dumps(line, ensure_ascii=False) if as_json else printable(_words(line)))
                summary.step(step.state.at)
    except ReplayError as error:
        click.echo(f"{file}:{error}", err=True)
        raise click.exceptions.Exit(WRONG) from error
    if summary.begin is None:
        click.echo(f"{file}:1: no beginning of a recording: the file is empty", err=True)
        raise click.exceptions.Exit(WRONG)
    click.echo(json.dumps(summary.facts(), ensure_ascii=False) if as_json else summary.words())


class Summary:
    """What a recording came to; the first step is the beginning, every other one a cycle."""

    def __init__(self) -> None:
        self.begin: datetime | None = None
        self.end: datetime | None = None
        self.cycles = 0
        self._lines: Counter[object] = Counter()

    def step(self, at: datetime) -> None:
        """Count one step at ``at``."""
        self.cycles += self.begin is not None
        self.begin, self.end = self.begin or at, at

    def count(self, line: Line) -> None:
        """Count one line by its kind."""
        self._lines[line["kind"]] += 1

    def facts(self) -> Line:
        """The summary as the last object of ``--json``."""
        kinds = {f"{kind}s": self._lines[kind] for kind in ("write", "event", "result")}
        return {"kind": "summary", "from": _stamp(self.begin), "to": _stamp(self.end), "cycles": self.cycles, **kinds}

    def words(self) -> str:
        """The summary in one line."""
        facts = self.facts()
        counts = ", ".join(f"{facts[name]} {name}" for name in ("cycles", "writes", "events", "results"))
        return f"{counts}, from {facts['from']} to {facts['to']}"


def _lines(step: Step) -> Iterator[Line]:
    """One step's writes, events and results, in this order; a write without a value frees its priority."""
    ts = _stamp(step.state.at)
    for write in step.writes:
        point: Line = {"device": write.point.device, "point": write.point.point}
        yield {"ts": ts, "kind": "write", **point, "value": write.value, "priority": write.priority}
    for event in step.events:
        yield {"ts": ts, "kind": "event", "name": event.name, "target": event.target, "facts": _plain(event.facts)}
    for result in step.results:
        asked: Line = {"id": result.id, "target": result.target}
        yield {"ts": ts, "kind": "result", **asked, "outcome": result.outcome, "detail": result.detail}


def _words(line: Line) -> str:
    match line["kind"]:
        case "write":
            value = "released" if line["value"] is None else f"{line['value']:g}"
            what = f"{line['device']}/{line['point']} = {value} (priority {line['priority']})"
        case "event":
            facts = line["facts"]
            extra = "".join(f" {name}={value}" for name, value in facts.items()) if isinstance(facts, dict) else ""
            what = f"{line['name']} {line['target']}{extra}"
        case _:
            detail = f": {line['detail']}" if line["detail"] else ""
            what = f"{line['id']} {line['target']} {line['outcome']}{detail}"
    return f"{line['ts']}  {line['kind']:<6}  {what}"


def _plain(facts: Mapping[str, object]) -> Line:
    return {
        name: _stamp(value) if isinstance(value, datetime) else value
        for name, value in facts.items()
        if value is not None
    }


def _stamp(at: datetime | None) -> str | None:
    from controller.core.stack import rfc3339

    return None if at is None else rfc3339(at)
