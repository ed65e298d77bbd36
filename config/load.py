"""From a directory to a Site: ``load_site`` for those who run it, ``check_site`` for those who look at it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from config.files import SITE_YAML, SiteFiles
from config.lint import lint_site
from config.lint_legal import lint_legal
from config.model import SiteFile
from config.problems import Findings, Problem, Severity, SiteError, Spot
from config.settings import read_settings
from config.site import Site
from config.source import parse_yaml
from config.tree.draft import Draft
from config.tree.site import build_site
from config.wording import checked

__all__ = ["Problem", "Severity", "SiteError", "check_site", "load_site"]


def load_site(directory: Path, environ: Mapping[str, str] | None = None, today: date | None = None) -> Site:
    """The site of ``directory``; SiteError with everything that is wrong. ``environ`` defaults to the process' own.

    With ``today`` plans are compared with the legal hours of the year ahead as well. A start does without: what was
    right when it was written must not keep a town dark after a power cut because a derogation has run out since.
    """
    findings = Findings()
    draft = _draft(directory, findings)
    settings = read_settings(environ, findings)
    site = build_site(draft, settings) if draft else None
    if draft and site and today is not None and not findings.failed:
        lint_legal(draft, site, today)
    if site is None or findings.failed:
        raise SiteError(findings.ordered())
    return site


def check_site(
    directory: Path, environ: Mapping[str, str] | None = None, today: date | None = None
) -> tuple[Site | None, list[Problem]]:
    """The site, None when it cannot run, with all errors, or with what the linter has to say about it.

    ``today`` (default: the day of the machine's clock) is what calendars may run out after.
    """
    findings = Findings()
    draft = _draft(directory, findings)
    settings = read_settings(environ, findings)
    site = build_site(draft, settings) if draft else None
    if draft and site and not findings.failed:
        day = today or datetime.now(UTC).astimezone(site.place.zone).date()
        lint_legal(draft, site, day)
        if not findings.failed:
            lint_site(draft, site, day)
    return (None if findings.failed else site), findings.ordered()


def _draft(directory: Path, findings: Findings) -> Draft | None:
    """site.yaml as far as it can be read; what is wrong in it is noted and left out."""
    files = SiteFiles(directory, findings)
    name = files.name(Path(SITE_YAML))
    text = files.text(Path(SITE_YAML), Spot(name))
    if text is None:
        return None
    document = parse_yaml(name, text, findings)
    if document.value is None:
        if not findings.failed:
            findings.error(Spot(name, 1, 1), "the file is empty")
        return None
    written = checked(document, SiteFile, findings)
    return Draft(document, written, files, findings) if written else None
