"""The clock was set back (NTP after a boot without a battery, a hand): nothing may wait for a future that is gone.

A clock set forward needs no care: what came due meanwhile is due now, and states are computed, never replayed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from controller.core.image import DeviceImage
from controller.core.journal import Override
from controller.core.state import Alarm, Output, State
from controller.core.traces import PhaseTrace
from controller.core.wiring import Wiring

_TOLERATED = timedelta(seconds=2)


def set_back(state: State, now: datetime) -> bool:
    """Whether ``now`` lies so far before the last cycle that instants of then cannot be trusted."""
    return now < state.at - _TOLERATED


def brought_back(wiring: Wiring, state: State, now: datetime) -> State:
    """The state with every instant ahead of ``now`` brought back to it; overrides still end within the cap."""
    latest = now + wiring.site.overrides.cap
    return replace(
        state,
        at=now,
        image={device: _heard(image, now) for device, image in state.image.items()},
        demands={},
        preheats={},
        overrides={key: _ending(override, latest) for key, override in state.overrides.items()},
        outputs={key: _free(output, now) for key, output in state.outputs.items()},
        alarms={name: _raised(alarm, now) for name, alarm in state.alarms.items() if alarm.raised is not None},
        ambients={},
        presences={},
        feeds={key: replace(feed, since=min(feed.since, now)) for key, feed in state.feeds.items()},
        closings={},
        rooms={key: room.brought_back(now) for key, room in state.rooms.items()},
        plants={key: plant.brought_back(now) for key, plant in state.plants.items()},
        flickers={},
        phases={key: _unread(trace) for key, trace in state.phases.items()},
        due={},
        heap=(),
    )


def _heard(image: DeviceImage, now: datetime) -> DeviceImage:
    readings = {name: each._replace(at=min(each.at, now)) for name, each in image.readings.items()}
    return replace(image, readings=readings, heard=None if image.heard is None else min(image.heard, now))


def _ending(override: Override, latest: datetime) -> Override:
    return replace(override, until=min(override.until, latest))


def _free(output: Output, now: datetime) -> Output:
    held_since = None if output.held_since is None else min(output.held_since, now)
    return output._replace(since=min(output.since, now), in_flight=None, not_before=None, held_since=held_since)


def _unread(trace: PhaseTrace) -> PhaseTrace:
    return replace(trace, readings=(), sampled=None)


def _raised(alarm: Alarm, now: datetime) -> Alarm:
    return replace(alarm, since=min(alarm.since, now), raised=now, gone=None)
