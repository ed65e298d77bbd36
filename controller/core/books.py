"""All ledgers of a site in the hands of one cycle; one is opened when it is first written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from controller.core.ledger import Ledger, OpenLedger


class Books:
    """The ledgers of a State by group, and those that this cycle has in hand."""

    __slots__ = ("_base", "_gone", "_open")

    def __init__(self, base: Mapping[str, Ledger]) -> None:
        self._base = base
        self._open: dict[str, OpenLedger] = {}
        self._gone: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        yield from (group for group in {**self._base, **self._open} if group not in self._gone)

    def peek(self, group: str) -> Ledger | OpenLedger | None:
        """To read in; None for a group without one."""
        return self._open.get(group) or (None if group in self._gone else self._base.get(group))

    def open(self, group: str) -> OpenLedger | None:
        """To write in; None for a group without one."""
        found = self._open.get(group)
        if found is None and group in self._base and group not in self._gone:
            found = self._open[group] = OpenLedger(self._base[group])
        return found

    def begin(self, group: str, ledger: Ledger) -> OpenLedger:
        """A new one in place of what the group had."""
        self._gone.discard(group)
        self._open[group] = OpenLedger(ledger)
        return self._open[group]

    def drop(self, group: str) -> None:
        """The group has none any more."""
        self._open.pop(group, None)
        self._gone.add(group)

    def changes(self) -> dict[str, Ledger | None]:
        """What this cycle wrote in, as it stands now; None for what is gone."""
        found: dict[str, Ledger | None] = {group: ledger.frozen() for group, ledger in self._open.items()}
        return found | dict.fromkeys(self._gone)


def merged(base: Mapping[str, Ledger], changes: Mapping[str, Ledger | None]) -> Mapping[str, Ledger]:
    """The ledgers after a cycle; the very same object when it changed none."""
    if not changes:
        return base
    whole = {**base, **changes}
    return {group: ledger for group, ledger in whole.items() if ledger is not None}
