"""One scan cycle: inbox and time in, next state, writes and reports out. Nothing in here waits, logs or asks a clock.

Its cost follows what changed: groups, zones, overrides, outputs and alarms say when they are due next, and a
device is looked at when something was heard of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from controller.core import (
    ambience,
    counting,
    diagnostics,
    evidence,
    heating,
    leases,
    lighting,
    noon,
    overrides,
    owed,
    presence,
    reconcile,
)
from controller.core.accounts import AT_NOON
from controller.core.clock_step import brought_back, set_back
from controller.core.commands import Command, Heard, Misheard, Refusal
from controller.core.dynamic import target_of
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.journal import Saved
from controller.core.state import Draft, State, Step
from controller.core.wiring import Kind, Wiring
from drivers.api import (
    Fault,
    Notice,
    Observation,
    PushResult,
    Quality,
    Reading,
    ScheduleSeen,
    Silence,
    Write,
    WriteResult,
)

Input = Observation | WriteResult | ScheduleSeen | PushResult | Command | Refusal | Heard | Misheard
"""Everything that can come in from the edges."""
_OfDevice = Reading | Fault | Silence
_Other = Notice | WriteResult | ScheduleSeen | PushResult | Command | Refusal | Heard | Misheard


def begin(wiring: Wiring, saved: Saved, now: datetime) -> Step:
    """The first step of a core: overrides still in force, counters as they were, every plan taken up at ``now``."""
    latest = now + wiring.site.overrides.cap
    known = {
        key: replace(override, until=min(override.until, latest))
        for key, override in saved.overrides.items()
        if override.until > now and wiring.takes_commands(target_of(key))
    }
    over = [key for key in saved.overrides if key not in known]
    state = State(
        at=now,
        overrides=known,
        counters={name: value for name, value in saved.counters.items() if not name.endswith(AT_NOON)},
        noon={name.removesuffix(AT_NOON): value for name, value in saved.counters.items() if name.endswith(AT_NOON)},
        ledgers=noon.awakened(saved.ledgers, saved.counters),
        seal=saved.seal,
        seen=dict(saved.command_ids),
        held=dict(saved.held),
        kept=dict(saved.kept),
        hours={key: hour.abandoned() for key, hour in saved.open_hours.items()},
    )
    return _armed(wiring, state, now, over=over)


def adopt(wiring: Wiring, state: State, now: datetime, by: timedelta | None = None) -> Step:
    """The first step under a new configuration, or a clock set back ``by``: what exists keeps what is known of it."""
    devices, targets = wiring.site.devices, wiring.targets
    carried = State(
        at=now,
        image={device: image for device, image in state.image.items() if device in devices},
        preheats={key: slot for key, slot in state.preheats.items() if key in targets},
        overrides={key: override for key, override in state.overrides.items() if wiring.takes_commands(target_of(key))},
        outputs={key: output for key, output in state.outputs.items() if key in targets},
        alarms=state.alarms,
        alarmed=state.alarmed,
        feeds={key: feed for key, feed in state.feeds.items() if diagnostics.fed_place(wiring, key)},
        flickers={key: known for key, known in state.flickers.items() if key in targets},
        phases={key: trace for key, trace in state.phases.items() if diagnostics.metered_phase(wiring, key)},
        counters=state.counters,
        noon=state.noon,
        ledgers=state.ledgers,
        seal=state.seal,
        seen=state.seen,
        held=state.held,
        closings=state.closings,
        debts=owed.carried(state.debts, targets),
        ambients={key: known for key, known in state.ambients.items() if key in wiring.site.photocells},
        presences={key: known for key, known in state.presences.items() if key in wiring.site.presence_sensors},
        rooms={key: room for key, room in state.rooms.items() if key in wiring.site.zones},
        plants={key: plant for key, plant in state.plants.items() if key in wiring.site.buildings},
        signals={key: said for key, said in state.signals.items() if key in wiring.site.signals},
        kept=state.kept,
        hours=state.hours,
    )
    over = [key for key in state.overrides if key not in carried.overrides]
    return _armed(wiring, carried, now, by, over)


def cycle(wiring: Wiring, state: State, inbox: Sequence[Input], now: datetime) -> Step:
    """One cycle at ``now``. Never mutates ``state``; the same arguments give the same step."""
    if set_back(state, now):
        anew = adopt(wiring, brought_back(wiring, state, now), now, by=state.at - now)
        return anew.then(cycle(wiring, anew.state, inbox, now))
    draft = Draft(state, now)
    noon.due(wiring, draft)
    of_devices, others = _sorted(inbox)
    for device, items in of_devices.items():
        _heard(wiring, draft, device, items)
    for item in others:
        if isinstance(item, Command):
            overrides.accept(wiring, draft, item)
        elif isinstance(item, Refusal):
            overrides.refuse(draft, item)
        elif isinstance(item, Notice):
            diagnostics.noticed(wiring, draft, item)
        elif isinstance(item, Heard | Misheard):
            heating.signalled(wiring, draft, item)
        elif isinstance(item, ScheduleSeen | PushResult):
            heating.delegated(wiring, draft, item)
    for key in draft.take_due():
        _due(wiring, draft, key)
    _rearrange(wiring, draft)
    for item in others:
        if isinstance(item, WriteResult):
            reconcile.written(wiring, draft, item)
    evidence.noted(wiring, draft, draft.events)
    return draft.finish()


def farewell(wiring: Wiring, state: State, now: datetime) -> list[Write]:
    """The last writes of a clean stop."""
    return leases.farewell(wiring, Draft(state, now))


def _armed(
    wiring: Wiring, state: State, now: datetime, set_back_by: timedelta | None = None, over: Sequence[str] = ()
) -> Step:
    draft = Draft(state, now)
    draft.journal_overrides.update(dict.fromkeys(over))
    if set_back_by is not None:
        draft.event("clock-set-back", f"site/{wiring.site.id}", by_s=round(set_back_by.total_seconds()))
    for key, override in state.overrides.items():
        draft.schedule(f"override/{key}", override.until)
    for name, alarm in state.alarms.items():
        if not wiring.knows(name[0]) or diagnostics.orphaned(wiring, name):
            diagnostics.end(draft, name, alarm)
        elif alarm.raised is None or alarm.gone is not None:
            draft.schedule(f"alarm/{name[0]}/{name[1]}", now)
    for device in state.image:
        draft.schedule(f"device/{device}", now)
    for key, output in state.outputs.items():
        draft.schedule(f"output/{key}", output.in_flight or output.not_before or now + _reassert(wiring))
    noon.begin(wiring, draft)
    for sensor, known in state.presences.items():
        draft.schedule(f"presence/{sensor}", known.until)
    for cell in wiring.site.photocells:
        ambience.judge(wiring, draft, cell)
    for group in wiring.site.groups:
        lighting.group_due(wiring, draft, group)
    heating.begin(wiring, draft)
    draft.rearrange.update(wiring.targets)
    _rearrange(wiring, draft)
    noon.take_stock(wiring, draft)
    draft.changed.update(wiring.device_of)
    leases.let_go(wiring, draft)
    return draft.finish()


def _reassert(wiring: Wiring) -> timedelta:
    return timedelta(seconds=wiring.site.timing.reassert_s)


def _sorted(inbox: Sequence[Input]) -> tuple[dict[str, list[_OfDevice]], list[_Other]]:
    """What was heard, by device, and the rest; the outcome of a write is both."""
    heard: defaultdict[str, list[_OfDevice]] = defaultdict(list)
    others: list[_Other] = []
    for item in inbox:
        if isinstance(item, Reading | Fault):
            heard[item.point.device].append(item)
        elif isinstance(item, Silence):
            heard[item.device].append(item)
        else:
            others.append(item)
            if isinstance(item, WriteResult) and item.observed is not None:
                heard[item.observed.point.device].append(item.observed)
    return heard, others


def _heard(wiring: Wiring, draft: Draft, device: str, items: list[_OfDevice]) -> None:
    if device not in wiring.site.devices:
        return
    before = draft.image.get(device) or NOTHING_HEARD
    image = _updated(before, items)
    draft.image[device] = image
    if image.silent is not None:
        if before.silent is None:
            _went_silent(wiring, draft, device, image.silent)
        return
    if before.silent is not None or before.heard is None:
        draft.event("device-online", f"device/{device}")
        leases.returned(wiring, draft, device)
        draft.changed.update(wiring.entities_of[device])
    if f"device/{device}" not in draft.due:
        draft.schedule(f"device/{device}", draft.now + timedelta(seconds=wiring.stale_after_s[device]))
    _show_news(wiring, draft, device, before, items)
    counting.count_device(wiring, draft, device, before, image)
    evidence.heard(wiring, draft, device, before, image)
    heating.heard(wiring, draft, device, before, image)
    steered = wiring.steered_by[device]
    if steered:
        for item in items:
            if not isinstance(item, Silence) and item.point.point in steered:
                _look_at(wiring, draft, device, item)
    diagnostics.judge_news(wiring, draft, device)


def _show_news(wiring: Wiring, draft: Draft, device: str, before: DeviceImage, items: list[_OfDevice]) -> None:
    """Mark every entity whose state looks different now; what is marked already need not be looked at again."""
    shown = wiring.shown_by[device]
    fresh_for = timedelta(seconds=wiring.site.timing.stale_after_s)
    waiting = set(wiring.entities_of[device]) - draft.changed
    for item in items:
        if not waiting:
            return
        if isinstance(item, Silence):
            continue
        keys = shown.get(item.point.point, ())
        if not waiting.isdisjoint(keys) and _is_news(before, item, fresh_for):
            draft.changed.update(keys)
            waiting.difference_update(keys)


def _is_news(before: DeviceImage, item: Reading | Fault, fresh_for: timedelta) -> bool:
    """Whether a state may look different for it. A contactor's always may: its write state follows the time."""
    name = item.point.point
    if name.startswith("segment."):
        return True
    if isinstance(item, Fault):
        return name not in before.faults
    last = before.readings.get(name)
    if last is None or name in before.faults:
        return True
    return item.value != last.value or item.quality is not last.quality or item.at - last.at > fresh_for


def _updated(image: DeviceImage, items: list[_OfDevice]) -> DeviceImage:
    answers: list[Reading | Fault] = []
    for item in items:
        if isinstance(item, Silence):
            image = (image.with_observations(answers) if answers else image).with_silence(item)
            answers = []
        else:
            answers.append(item)
    return image.with_observations(answers) if answers else image


def _look_at(wiring: Wiring, draft: Draft, device: str, reading: Reading | Fault) -> None:
    place = (device, reading.point.point)
    target, (sensor, identity) = wiring.commanded.get(place), wiring.sensed.get(place, ("", ""))
    if sensor == "photocell":
        ambience.heard(wiring, draft, identity)
    elif isinstance(reading, Fault):
        if target is not None and target.kind not in (Kind.LAMP, Kind.SEGMENT):
            reconcile.unreadable(wiring, draft, target)
    elif sensor == "presence":
        presence.heard(wiring, draft, identity, reading)
    elif target is not None:
        reconcile.observed(wiring, draft, target, reading)
    elif reading.quality is Quality.GOOD:
        for key in wiring.shown_by[device].get(reading.point.point, ()):
            if key.startswith("zone/"):
                heating.zone_due(wiring, draft, key.removeprefix("zone/"))


def _went_silent(wiring: Wiring, draft: Draft, device: str, silence: Silence) -> None:
    draft.event("device-offline", f"device/{device}", cause=silence.cause)
    draft.changed.update(wiring.entities_of[device])
    for target in wiring.targets_of[device]:
        reconcile.lost(draft, target)
    for cell in wiring.cells_of.get(device, ()):
        ambience.judge(wiring, draft, cell)
    draft.schedule(f"device/{device}", None)
    heating.unheard(wiring, draft, device)
    evidence.grown_old(wiring, draft, device)
    diagnostics.judge_device(wiring, draft, device)


def _growing_old(wiring: Wiring, draft: Draft, device: str) -> None:
    """Nothing was heard for a while, of the device or of some of its points: show their quality as it is by now."""
    image = draft.image.get(device)
    if image is None or image.heard is None:
        return
    heating.unheard(wiring, draft, device)
    evidence.grown_old(wiring, draft, device)
    stale_after = timedelta(seconds=wiring.stale_after_s[device])
    if image.heard + stale_after <= draft.now:
        draft.changed.update(wiring.entities_of[device])
        return
    draft.schedule(f"device/{device}", image.heard + stale_after)
    for point, reading in image.readings.items():
        if reading.at + stale_after <= draft.now:
            draft.changed.update(wiring.shown_by[device].get(point, ()))
    diagnostics.judge_device(wiring, draft, device)


def _due(wiring: Wiring, draft: Draft, key: str) -> None:
    kind, _, rest = key.partition("/")
    if kind == "group":
        lighting.group_due(wiring, draft, rest)
    elif kind == "legal":
        lighting.legal_due(wiring, draft, rest)
    elif kind == "override":
        overrides.override_due(wiring, draft, rest)
    elif kind == "output":
        reconcile.output_due(wiring, draft, rest)
    elif kind == "alarm" and rest.startswith("photocell/"):
        _cell_due(wiring, draft, rest.split("/")[1])
    elif kind == "alarm":
        diagnostics.alarm_due(wiring, draft, rest)
    elif kind == "photocell":
        _cell_due(wiring, draft, rest)
    elif kind == "presence":
        presence.presence_due(wiring, draft, rest)
    elif kind == "device":
        _growing_old(wiring, draft, rest)
    elif kind == "lease":
        leases.due(wiring, draft, rest)
    else:
        heating.due(wiring, draft, kind, rest)


def _cell_due(wiring: Wiring, draft: Draft, cell: str) -> None:
    if cell in wiring.site.photocells:
        ambience.judge(wiring, draft, cell)


def _rearrange(wiring: Wiring, draft: Draft) -> None:
    """Work out anew what every touched target shall do; segments last, because they follow their lamps."""
    evidence.releveled(wiring, draft)
    heating.settle(wiring, draft)
    segments: set[str] = set()
    changed: list[str] = []
    for key in sorted(draft.rearrange):
        target = wiring.targets.get(key)
        if target is None:
            continue
        if key.startswith("segment/"):
            segments.add(key)
            continue
        if reconcile.arrange(wiring, draft, target):
            changed.append(key)
        if key.startswith("lamp/"):
            segment = wiring.site.lamps[target.id].segment
            if segment is not None:
                segments.add(f"segment/{segment}")
    for key in sorted(segments):
        target = wiring.targets.get(key)
        if target is not None and reconcile.arrange(wiring, draft, target):
            changed.append(key)
    heating.commanded(wiring, draft, changed)
    evidence.commanded(wiring, draft, changed)
    heating.rearranged(wiring, draft)
