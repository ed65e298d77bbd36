"""``veilleuse check``: everything that is wrong with a site, and what looks odd."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.exits import DONE, WRONG, site_argument

if TYPE_CHECKING:
    from config.problems import Problem
    from config.site import Site

EXAMPLE = """\b
Example:
  veilleuse check /etc/veilleuse
  veilleuse check --json . | jq '.problems[].message'
"""


@click.command(epilog=EXAMPLE)
@site_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option(
    "--on", "today", type=click.DateTime(["%Y-%m-%d"]), help="Look at the year from this date on (default: today)."
)
def command(site: Path, as_json: bool, today: datetime | None) -> None:
    """All errors and warnings of SITE, as file:line:column: error|warning: message.

    Exit code 0 when the site can run, 1 when it has an error. Warnings do not count.
    """
    from config.load import check_site

    if not site.is_dir():
        raise click.ClickException(f"no site at {site}: there is no such directory (veilleuse init writes one)")
    found, problems = check_site(site, today=today.date() if today else None)
    if as_json:
        click.echo(json.dumps(_facts(site, found, problems), indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(_summary(site, found, problems))
    sys.exit(DONE if found else WRONG)


def _summary(directory: Path, site: Site | None, problems: Sequence[Problem]) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    if site is None:
        extra = f", {_count(warnings, 'warning')}" if warnings else ""
        return f"NOT OK {directory}: {_count(errors, 'error')}{extra}"
    counts = [_count(number, word.removesuffix("s")) for word, number in _inventory(site).items()]
    return f"OK {site.id}: {', '.join([*counts, _count(warnings, 'warning')])}"


def _inventory(site: Site) -> dict[str, int]:
    return {
        "lamps": len(site.lamps),
        "segments": len(site.segments),
        "cabinets": len(site.cabinets),
        "meters": len(site.meters),
        "zones": len(site.zones),
    }


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _facts(directory: Path, site: Site | None, problems: Sequence[Problem]) -> dict[str, object]:
    return {
        "ok": site is not None,
        "directory": str(directory),
        "site": site.id if site else None,
        "config_hash": site.config_hash if site else None,
        "inventory": _inventory(site) if site else None,
        "problems": [asdict(problem) for problem in problems],
    }
