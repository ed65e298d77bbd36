"""What operators type about a site: SITE in front of other arguments, a target by its name or bare id, a local time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from controller.cli.exits import WRONG

if TYPE_CHECKING:
    from config.site import Site

_DEFAULT_SITE = "/etc/veilleuse"
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_SAME_ID_SHOWN = 4


def leading_site(function: Callable[..., Any]) -> Callable[..., Any]:
    """``[SITE]`` before arguments that must be there: ``explain lamp/l-001`` is about the default site."""
    return click.argument(
        "site", nargs=-1, type=click.Path(path_type=Path), metavar="[SITE]", callback=_one_or_default
    )(function)


def _one_or_default(context: click.Context, argument: click.Parameter, given: tuple[Path, ...]) -> Path:
    if len(given) > 1:
        words = " ".join(str(word) for word in given)
        raise click.UsageError(f"too many arguments: {words!r} stand where one SITE may stand", context)
    return given[0] if given else Path(os.environ.get("VEILLEUSE_SITE") or _DEFAULT_SITE)


def loaded(directory: Path) -> Site:
    """The site of ``directory``; where it cannot run, its errors on stderr and exit code 1."""
    from config.load import SiteError, load_site

    try:
        return load_site(directory)
    except SiteError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(WRONG) from error


def the_one(text: str, known: Sequence[str]) -> str:
    """The ``kind/id`` of ``known`` that ``text`` names, in full or by a bare id that only one has. Exit code 1 else."""
    if text in known:
        return text
    found = [name for name in known if text in _bare(name)]
    if len(found) > 1:
        several = ", ".join(found[:_SAME_ID_SHOWN])
        raise click.ClickException(f"{text!r} is the id of several: {several}; write one of them in full")
    if not found:
        raise unknown(text, known)
    return found[0]


def unknown(text: str, known: Sequence[str]) -> click.ClickException:
    """The error about a target that does not exist, with the nearest one that does."""
    from config.problems import did_you_mean

    near = did_you_mean(text, known) or did_you_mean(text, [bare for name in known for bare in _bare(name)])
    return click.ClickException(f"no such target: {text!r}{near}")


def _bare(name: str) -> tuple[str, ...]:
    """The short forms of ``kind/id``: ``ecole.classes`` and, as the site file has it, ``classes``."""
    identity = name.partition("/")[2]
    return (identity, identity.rpartition(".")[2])


def local_instant(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """``2026-11-21T22:30``, with an offset or in the site's own time; ``22:30`` is today's. UTC. Raises UsageError."""
    from datetime import UTC

    from schedules.moments import at_local

    try:
        if len(text) <= len("22:30:00"):
            return at_local(now.astimezone(zone).date(), time.fromisoformat(text), zone)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is no time like 22:30, 2026-11-21T22:30 or 2026-11-21T22:30+01:00") from error
    within_reach(at)
    return at.astimezone(UTC) if at.tzinfo else at_local(at.date(), at.time(), zone)


def within_reach(at: datetime) -> None:
    """Raises UsageError for a year in which neither sun nor time zones mean anything."""
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise click.UsageError(f"the year {at.year} is not within {_FIRST_YEAR} to {_LAST_YEAR}")


def printable(text: str) -> str:
    """``text`` on one line and without a terminal's control codes: anybody may write a reason."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
