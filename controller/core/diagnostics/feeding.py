"""What has mains: contactors, breakers, selectors and phases, and since when."""

from __future__ import annotations

from datetime import datetime

from config.site import Lamp
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.loads import cabinet_of, phase_of
from controller.core.state import Draft
from controller.core.traces import Feed
from controller.core.wiring import Wiring
from drivers.api import Quality

_USABLE = (Quality.GOOD, Quality.UNCERTAIN)


def fresh(wiring: Wiring, draft: Draft, device: str, image: DeviceImage, point: str) -> float | None:
    """A value that is of now: what has grown old says nothing about what was commanded since."""
    quality = image.quality(point, draft.now, wiring.stale_after(device, point))
    return image.value(point) if quality in _USABLE else None


def powered(wiring: Wiring, draft: Draft, lamp: Lamp) -> bool:
    """Whether the lamp has mains: its phase is alive, its contactor closed and its breaker did not trip."""
    if not phase_alive(wiring, draft, lamp):
        return False
    return lamp.segment is None or segment_fed(wiring, draft, lamp.segment) is True


def segment_fed(wiring: Wiring, draft: Draft, segment_id: str) -> bool | None:
    """Whether a contactor is closed with its breaker in; None while its auxiliary contact is not read."""
    segment = wiring.site.segments[segment_id]
    image = draft.image.get(segment.device) or NOTHING_HEARD
    feedback = fresh(wiring, draft, segment.device, image, f"segment.{segment.output}.feedback")
    if feedback is None:
        return None
    return feedback == 1.0 and image.value(f"segment.{segment.output}.breaker") != 1.0


def fed_since(wiring: Wiring, draft: Draft, lamp: Lamp) -> datetime | None:
    """Since when a lamp that is fed has been so, as far as anybody has looked."""
    places = [] if lamp.segment is None else [f"segment/{lamp.segment}"]
    phase = phase_key(wiring, lamp)
    feeds = (draft.feeds.get(place) for place in (*places, *(() if phase is None else (phase,))))
    return max((feed.since for feed in feeds if feed is not None), default=None)


def note(draft: Draft, key: str, alive: bool) -> None:
    """Remember since when a contactor or a phase has mains, or has none."""
    feed = draft.feeds.get(key)
    if feed is None or feed.alive is not alive:
        draft.feeds[key] = Feed(alive, draft.now)


def phase_key(wiring: Wiring, lamp: Lamp) -> str | None:
    """``cabinet/<id>/l1`` of the phase that a lamp hangs on."""
    cabinet, phase = cabinet_of(wiring.site, lamp), phase_of(wiring.site, lamp)
    return None if cabinet is None or phase is None else f"cabinet/{cabinet}/l{phase}"


def by_hand(image: DeviceImage, feedback: str) -> bool:
    """Whether a selector at the cabinet, or at the contactor itself, stands on hand."""
    return 1.0 in (image.value("local"), image.value(feedback.replace(".feedback", ".local")))


def phase_alive(wiring: Wiring, draft: Draft, lamp: Lamp) -> bool:
    """A phase is dead while a meter says so; what one said that has fallen silent since is no longer known."""
    key = phase_key(wiring, lamp)
    feed = draft.feeds.get(key) if key is not None else None
    if feed is None or feed.alive:
        return True
    cabinet, phase = cabinet_of(wiring.site, lamp), phase_of(wiring.site, lamp)
    point = f"meter.voltage-l{phase}"
    for device in wiring.mains_of.get(cabinet or "", ()):
        image = draft.image.get(device) or NOTHING_HEARD
        if fresh(wiring, draft, device, image, point) is not None:
            return False
    return True
