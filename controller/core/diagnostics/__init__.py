"""Alarms with TALQ event names: conditions judged on the image, then settled, persisted, folded, raised, cleared.

``judging`` says who is judged when, ``lamps``, ``segments``, ``cabinets`` and ``phases`` what is wrong there,
``folding`` which alarm explains which, ``alarms`` how one lives. A silent cabinet is one alarm; its lamps show
``offline`` and raise nothing of their own.
"""

from controller.core.diagnostics.alarms import end, follow, forget_pending, noticed
from controller.core.diagnostics.conditions import Condition
from controller.core.diagnostics.feeding import by_hand, powered
from controller.core.diagnostics.judging import alarm_due, judge_device, judge_news
from controller.core.diagnostics.scope import fed_place, metered_phase, orphaned

__all__ = [
    "Condition",
    "alarm_due",
    "by_hand",
    "end",
    "fed_place",
    "follow",
    "forget_pending",
    "judge_device",
    "judge_news",
    "metered_phase",
    "noticed",
    "orphaned",
    "powered",
]
