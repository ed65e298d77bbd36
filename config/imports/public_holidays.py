"""Public holidays of a country or region by law, from the library ``holidays``; imported only for this."""

from __future__ import annotations

from datetime import date

import holidays

from config.imports.sheet import Line, cell
from config.problems import Findings, Spot, did_you_mean, known_words


def of_country(place: str, years: range, findings: Findings) -> list[Line]:
    """The holidays of ``FR``, ``FR-57`` (Moselle), ``FR/Alsace``, ``BE``; names in the country's own language."""
    spot = Spot(place)
    country, region = place.upper()[:2], place[3:]
    regions = holidays.list_supported_countries(include_aliases=True)
    if country not in regions or len(place) == 3 or place[2:3] not in ("", "-", "/"):
        findings.error(spot, "no country; two letters of ISO 3166, with a region FR-57 or FR/Alsace")
        return []
    if region and region not in regions[country]:
        hint = did_you_mean(region, regions[country]) or ";"
        known = known_words(regions[country], limit=40)
        findings.error(spot, f'{country} has no region "{region}"{hint} known: {known}')
        return []
    language = getattr(holidays, country).default_language
    found = holidays.country_holidays(country, subdiv=region or None, years=years, language=language)
    source = f"holidays {country}{f'-{region}' if region else ''}"
    return [(str(day), str(day), cell(name), source) for day, name in sorted(found.items()) if isinstance(day, date)]
