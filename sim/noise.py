"""Deterministic wobble: a smooth function of time that depends on a seed and a name only."""

from __future__ import annotations

import hashlib
from functools import lru_cache


@lru_cache(maxsize=4096)
def draw(seed: int, name: str, step: int = 0) -> float:
    """A fixed number in [-1, 1] for these three."""
    digest = hashlib.blake2b(f"{seed}/{name}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / (2**64 - 1) * 2.0 - 1.0


def wobble(seed: int, name: str, at_s: float, period_s: float) -> float:
    """A value in [-1, 1] that moves smoothly from one drawn number to the next every ``period_s``."""
    step, rest = divmod(at_s, period_s)
    share = rest / period_s
    share = share * share * (3.0 - 2.0 * share)
    before, after = draw(seed, name, int(step)), draw(seed, name, int(step) + 1)
    return before + share * (after - before)
