"""Who is judged when: what is new at once, everything of a device now and then, causes before what they explain."""

from __future__ import annotations

from controller.core.diagnostics import cabinets, commands, hands, lamps, plants, rooms, segments
from controller.core.image import NOTHING_HEARD
from controller.core.state import Draft
from controller.core.wiring import Wiring

_CAUSES = ("communicationFailure", "supplyLoss")


def judge_device(wiring: Wiring, draft: Draft, device_id: str) -> None:
    """Judge everything that lives at one device: time has passed for what did not change."""
    draft.judged.add(device_id)
    for key in wiring.judged_of.get(device_id, ()):
        _judge(wiring, draft, device_id, key)


def judge_news(wiring: Wiring, draft: Draft, device_id: str) -> None:
    """Judge what an answer of the device changed; all of its lamps when something that explains them changed."""
    before = len(draft.alarm_changes)
    for key in wiring.judged_of.get(device_id, ()):
        if key in draft.changed or not key.startswith("lamp/") or len(draft.alarm_changes) > before:
            _judge(wiring, draft, device_id, key)


def alarm_due(wiring: Wiring, draft: Draft, due: str) -> None:
    """Time has passed for one pending or going alarm: judge its device again, once for all that are due there."""
    entity = due.rpartition("/")[0]
    kind, _, identity = entity.partition("/")
    device = identity if kind == "device" else wiring.device_of.get(entity)
    if device is not None and device not in draft.judged:
        judge_device(wiring, draft, device)


def _judge(wiring: Wiring, draft: Draft, device_id: str, key: str) -> None:
    image = draft.image.get(device_id) or NOTHING_HEARD
    kind, _, identity = key.partition("/")
    if kind == "lamp":
        lamps.judge(wiring, draft, wiring.site.lamps[identity], image)
    elif kind == "segment":
        segments.judge(wiring, draft, identity, image)
    elif kind == "zone":
        rooms.judge(wiring, draft, identity, image)
        hands.judge(wiring, draft, key)
        commands.judge(wiring, draft, key)
    else:
        cabinets.judge(wiring, draft, key, image)
        if kind == "building" and image.online:
            plants.judge(wiring, draft, identity, image)
            hands.judge(wiring, draft, key)
            commands.judge(wiring, draft, key)
        _tell_hanging(wiring, draft, key)


def _tell_hanging(wiring: Wiring, draft: Draft, key: str) -> None:
    """What hangs on a cabinet may be explained now, or no longer; a device that is silent gives no occasion itself."""
    if not any((key, cause) in draft.alarm_changes for cause in _CAUSES):
        return
    for device in wiring.hanging_on.get(key.removeprefix("cabinet/"), ()):
        if device not in draft.judged:
            judge_device(wiring, draft, device)
