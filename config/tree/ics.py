"""Dated days from an iCalendar file: every day that an event touches in the site's time zone is one of the calendar."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from config.ics import read_occurrences
from config.problems import Findings
from schedules.calendars import Period


def read_ics(file: str, text: str, zone: ZoneInfo, findings: Findings) -> tuple[Period, ...]:
    """The periods of an iCalendar file, in the order of time; what is wrong is noted with its line."""
    name = Path(file).name
    return tuple(
        Period(*each.days, each.label, f"{name}: {each.uid}" if each.uid else name)
        for each in read_occurrences(file, text, zone, findings)
    )
