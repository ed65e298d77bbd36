"""What drivers have learnt of their devices, at hand for them and on its way to the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from controller.core.journal import Journal


class DeviceMemory:
    """Implements ``drivers.api.Memory``; ``put`` takes what has to be written down and returns at once."""

    def __init__(self, put: Callable[[Journal], None]) -> None:
        self._learnt: dict[str, Mapping[str, int]] = {}
        self._put = put

    def restore(self, learnt: Mapping[str, Mapping[str, int]]) -> None:
        """Begin with what an earlier run remembered, by device."""
        self._learnt = dict(learnt)

    def recall(self, device: str) -> Mapping[str, int]:
        """The facts last remembered of ``device``; empty where there are none."""
        return self._learnt.get(device, {})

    def remember(self, device: str, facts: Mapping[str, int]) -> None:
        """Keep ``facts`` in place of the earlier ones."""
        if facts == self.recall(device):
            return
        self._learnt[device] = dict(facts)
        self._put(Journal(learnt={device: dict(facts)}))
