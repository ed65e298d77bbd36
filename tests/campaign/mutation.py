"""A seeded mutator over valid messages: fast enough for a million a parser, and the same again for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

_ODD = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)


class Mutator:
    """Messages of ``corpus`` with one to four changes; one in sixteen stays whole, so that good ones go through too."""

    def __init__(self, seed: int, corpus: Sequence[bytes]) -> None:
        self._rng = random.Random(seed)
        self._corpus = corpus
        self._changes: Sequence[Callable[[bytearray], None]] = (
            self._flip, self._flip, self._odd, self._any, self._cut, self._drop, self._repeat, self._insert, self._swap,
            self._splice,
        )  # fmt: skip

    def messages(self, count: int) -> Iterator[bytes]:
        """So many messages."""
        return (self.one() for _ in range(count))

    def one(self) -> bytes:
        """The next message."""
        return self.of(self._corpus[self._below(len(self._corpus))])

    def of(self, message: bytes) -> bytes:
        """``message``, changed."""
        if self._rng.random() < 0.0625:
            return message
        changed = bytearray(message)
        for _ in range(1 + self._below(4)):
            self._changes[self._below(len(self._changes))](changed)
        return bytes(changed)

    def pieces(self, message: bytes) -> Sequence[bytes]:
        """``message`` as a stream might bring it: mostly whole, else cut in two."""
        if len(message) < 2 or self._rng.random() < 0.7:
            return [message]
        at = 1 + self._below(len(message) - 1)
        return [message[:at], message[at:]]

    def _below(self, limit: int) -> int:
        return int(self._rng.random() * limit)

    def _flip(self, message: bytearray) -> None:
        if message:
            message[self._below(len(message))] ^= 1 << self._below(8)

    def _odd(self, message: bytearray) -> None:
        if message:
            message[self._below(len(message))] = _ODD[self._below(len(_ODD))]

    def _any(self, message: bytearray) -> None:
        if message:
            message[self._below(len(message))] = self._below(256)

    def _cut(self, message: bytearray) -> None:
        del message[self._below(len(message) + 1) :]

    def _drop(self, message: bytearray) -> None:
        at = self._below(len(message) + 1)
        del message[at : at + 1 + self._below(4)]

    def _repeat(self, message: bytearray) -> None:
        at = self._below(len(message) + 1)
        message[at:at] = message[at : at + 1 + self._below(16)]

    def _insert(self, message: bytearray) -> None:
        at = self._below(len(message) + 1)
        message[at:at] = bytes(self._below(256) for _ in range(1 + self._below(6)))

    def _swap(self, message: bytearray) -> None:
        if message:
            one, other = self._below(len(message)), self._below(len(message))
            message[one], message[other] = message[other], message[one]

    def _splice(self, message: bytearray) -> None:
        other = self._corpus[self._below(len(self._corpus))]
        message[self._below(len(message) + 1) :] = other[self._below(len(other) + 1) :]
