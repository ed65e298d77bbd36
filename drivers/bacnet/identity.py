"""Who is who: a device is (network, MAC, instance), and what an I-Am says is a hint from anybody. Pure.

A hint never changes an address and never blocks a write: it makes us ask. What answers under the instance of one of
our devices from another place is its rival, and while there is one nobody knows which of the two is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drivers.api import Refused
from drivers.bacnet.addresses import Station
from drivers.bacnet.network import IAm

DUPLICATE_INSTANCE = "duplicateInstance"
DUPLICATE_ADDRESS = "duplicateAddress"
BETWEEN_QUESTIONS_S = 30.0
"""Of one device: whoever floods us with forged I-Ams gets no more than this out of it."""
ASK_AGAIN_S = 600.0
"""A suspect that was cleared is asked again only then."""
RECHECK_S = 60.0
"""A rival is asked this often whether it is still there."""
MISSES = 2
"""A rival that is not found so many times in a row is gone."""
_SUSPECTS = 8
_CLEARED = 64

Tell = Callable[[str, str, bool, str], None]
"""Hears once when a condition begins or ends: device, event, whether it holds, one sentence."""


class WrongDevice(Refused):
    """Another device answers at the address; ``found`` is its instance, None where it does not say."""

    def __init__(self, expected: int, found: int | None) -> None:
        there = "another device" if found is None else f"device {found}"
        super().__init__(f"expected device {expected}, found {there}")
        self.found = found


@dataclass(slots=True)
class _Record:
    """What is known of one device of ours."""

    instance: int
    station: Station | None = None
    suspects: dict[Station, None] = field(default_factory=dict)
    cleared: dict[Station, float] = field(default_factory=dict)
    rivals: dict[Station, int] = field(default_factory=dict)
    not_before_s: float = float("-inf")
    impostor: bool = False
    doubted: bool = False


class Identities:
    """The devices of one bus; times are seconds of one monotonic clock."""

    def __init__(self, instances: Mapping[str, int], tell: Tell) -> None:
        self._tell = tell
        self._records = {device: _Record(instance) for device, instance in instances.items()}
        self._by_instance = {instance: device for device, instance in instances.items()}
        self._by_station: dict[Station, str] = {}

    def place(self, device: str, station: Station | None) -> None:
        """Where ``device`` is asked from now on."""
        record = self._records[device]
        if record.station is not None:
            self._by_station.pop(record.station, None)
        record.station = station
        if station is not None:
            self._by_station[station] = device
            record.suspects.pop(station, None)
            record.rivals.pop(station, None)

    def heard(self, source: Station, word: IAm, at_s: float) -> None:
        """An I-Am, asked for or not."""
        device = self._by_instance.get(word.instance)
        if device is not None:
            self._suspect(self._records[device], source, at_s)
        there = self._by_station.get(source)
        if there is not None and self._records[there].instance != word.instance:
            self._records[there].doubted = True

    def _suspect(self, record: _Record, source: Station, at_s: float) -> None:
        if source in (record.station, *record.rivals) or record.station is None or len(record.suspects) >= _SUSPECTS:
            return
        if at_s - record.cleared.get(source, float("-inf")) >= ASK_AGAIN_S:
            record.suspects[source] = None

    def doubted(self, device: str) -> bool:
        """Whether somebody said that another device is at its address; asks once."""
        record = self._records[device]
        doubted, record.doubted = record.doubted, False
        return doubted

    def to_ask(self, device: str, at_s: float) -> Station | None:
        """A station to be asked now whether it has the instance of ``device``."""
        record = self._records[device]
        if at_s < record.not_before_s or not (record.suspects or record.rivals):
            return None
        record.not_before_s = at_s + (BETWEEN_QUESTIONS_S if record.suspects else RECHECK_S)
        return next(iter(record.suspects or record.rivals))

    def answered(self, device: str, station: Station, *, same: bool, at_s: float) -> None:
        """What became of the question: whether a device of the same instance answered at ``station``."""
        record = self._records[device]
        record.suspects.pop(station, None)
        was_rival = station in record.rivals
        misses = 0 if same else record.rivals.pop(station, MISSES) + 1
        if misses < MISSES:
            record.rivals.pop(station, None)
            record.rivals[station] = misses  # at the end: the others' turn comes first
        else:
            self._clear(record, station, at_s)
        if bool(record.rivals) and not was_rival and len(record.rivals) == 1:
            self._tell(device, DUPLICATE_INSTANCE, True, self._twice(record))
        elif was_rival and not record.rivals:
            self._tell(device, DUPLICATE_INSTANCE, False, "")

    def _clear(self, record: _Record, station: Station, at_s: float) -> None:
        if len(record.cleared) >= _CLEARED:
            record.cleared.clear()
        record.cleared[station] = at_s

    def mismatched(self, device: str, found: int | None) -> None:
        """Another device (``found``: its instance) answered at the address of ``device``."""
        record = self._records[device]
        if not record.impostor:
            record.impostor = True
            other = "another device" if found is None else f"device {found}"
            sentence = f"{other} answers at {record.station}, where device {record.instance} is expected"
            self._tell(device, DUPLICATE_ADDRESS, True, sentence)

    def matched(self, device: str) -> None:
        """The right device answered at its address."""
        record = self._records[device]
        if record.impostor:
            record.impostor = False
            self._tell(device, DUPLICATE_ADDRESS, False, "")

    def conflict(self, device: str) -> str | None:
        """Why nothing may be written to ``device`` now, None where it may."""
        record = self._records[device]
        return self._twice(record) if record.rivals else None

    def _twice(self, record: _Record) -> str:
        others = " and at ".join(map(str, record.rivals))
        return f"device {record.instance} answers at {record.station} and at {others}"
