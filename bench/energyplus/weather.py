"""The head of a weather file (EPW): where and in which time zone it was measured. Pure but for the reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Station:
    """The place of a climate; its clock is ``utc_offset_h`` ahead of UTC all the year."""

    city: str
    latitude: float
    longitude: float
    utc_offset_h: float

    @classmethod
    def of(cls, file: Path) -> Station:
        """From the first line: LOCATION,city,state,country,source,WMO,latitude,longitude,time zone,elevation."""
        with file.open(encoding="latin-1") as opened:
            words = opened.readline().strip().split(",")
        return cls(words[1], float(words[6]), float(words[7]), float(words[8]))
