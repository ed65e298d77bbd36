"""What a driver reads, and its values at a glance."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.api import Driver, Fault, Reading


async def read(driver: Driver, index: int = 0, of: str = "school") -> Sequence[Reading | Fault]:
    return await driver.read(driver.polls[of][index])


def shown(observations: Sequence[Reading | Fault]) -> list[float | str]:
    """The values, or why there is none."""
    return [o.value if isinstance(o, Reading) else o.cause for o in observations]
