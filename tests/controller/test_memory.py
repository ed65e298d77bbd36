"""What drivers have learnt: at hand at once, written down once."""

from __future__ import annotations

from controller.core.journal import Journal
from controller.memory import DeviceMemory


def test_what_is_remembered_is_recalled_and_written_down_once() -> None:
    written: list[Journal] = []
    memory = DeviceMemory(written.append)
    memory.restore({"bms": {"budget": 480}})
    assert memory.recall("bms") == {"budget": 480}
    assert memory.recall("other") == {}
    memory.remember("bms", {"budget": 240})
    memory.remember("bms", {"budget": 240})
    assert memory.recall("bms") == {"budget": 240}
    assert written == [Journal(learnt={"bms": {"budget": 240}})]
