"""A mapping with pending changes: a cycle writes in it, and what lies beneath stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Overlay(Generic[K, V]):
    """A mapping with pending changes; the mapping beneath stays as it was."""

    __slots__ = ("_base", "_changes")
    _GONE = object()

    def __init__(self, base: Mapping[K, V]) -> None:
        self._base = base
        self._changes: dict[K, V | object] = {}

    def get(self, key: K) -> V | None:
        found = self._changes.get(key, self)
        if found is self:
            return self._base.get(key)
        return None if found is self._GONE else found  # type: ignore[return-value]

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def __setitem__(self, key: K, value: V) -> None:
        self._changes[key] = value

    def drop(self, key: K) -> None:
        self._changes[key] = self._GONE

    def __iter__(self) -> Iterator[K]:
        yield from (key for key in self._base if self._changes.get(key, self) is not self._GONE)
        yield from (key for key, value in self._changes.items() if key not in self._base and value is not self._GONE)

    def merged(self) -> Mapping[K, V]:
        """The mapping after the changes; the very same object when there were none."""
        if not self._changes:
            return self._base
        whole: dict[K, V] = dict(self._base)
        for key, value in self._changes.items():
            if value is self._GONE:
                whole.pop(key, None)
            else:
                whole[key] = value  # type: ignore[assignment]
        return whole
