"""A cabinet's metered phases: lamps out that no node reports, and cables that go at one stroke.

The power is looked at with each answer, the lamps that should draw it every ``_EVERY_S`` only: their sum costs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from config.site import Lamp
from controller.core.diagnostics import cable, learning
from controller.core.diagnostics.alarms import settle
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.diagnostics.estimate import Sample, estimated, missing
from controller.core.diagnostics.feeding import fed_since, fresh, segment_fed
from controller.core.diagnostics.folding import lamps_reported_out
from controller.core.diagnostics.lamps import LOST_V, NOMINAL_V, settle_s
from controller.core.drive import expected_power_w
from controller.core.image import NOTHING_HEARD
from controller.core.loads import PhaseLoad
from controller.core.state import Draft, WriteState
from controller.core.traces import Estimate, PhaseTrace
from controller.core.wiring import Wiring
from schedules.moments import night_of

_EVERY_S = 20.0
_SURE = 0.95
"""Confidence from which lamps out are an alarm."""
_LEVEL_BINS, _VOLT_BIN = 20.0, 8.0
_BY_VOLTAGE = 1.5
"""A discharge lamp on its choke draws with this power of the voltage; electronic gear draws the same."""
_ESTIMATE, _CABLE = frozenset({"estimatedLampsOut"}), frozenset({"cableFailure"})


def judge(wiring: Wiring, draft: Draft, cabinet: str, device: str) -> None:
    """Take up the power of the phases that ``device`` meters, and judge what it says of their lamps."""
    loads = wiring.loads.get(cabinet, ())
    news = [load for load in loads if load.device == device and _follow(wiring, draft, load)]
    if not news:
        return
    key = f"cabinet/{cabinet}"
    for place in dict.fromkeys(place_of(load) for load in loads):
        _estimate_alarm(wiring, draft, place, [load for load in loads if place_of(load) == place])
        draft.changed.update((place, key))
    _cable_alarm(wiring, draft, key, loads)


def place_of(load: PhaseLoad) -> str:
    """Where an estimate is told: at the contactor that feeds all of the phase's lamps, else at the cabinet."""
    return f"cabinet/{load.cabinet}" if load.only_segment is None else f"segment/{load.only_segment}"


def _follow(wiring: Wiring, draft: Draft, load: PhaseLoad) -> bool:
    """Take up one reading; whether the lamps were looked at as well."""
    image = draft.image.get(load.device) or NOTHING_HEARD
    power = fresh(wiring, draft, load.device, image, load.power)
    trace = draft.phases.get(load.key) or PhaseTrace()
    reading = image.readings.get(load.power)
    if power is None or reading is None or (trace.readings and trace.readings[-1][0] == reading.at):
        return False
    volts = _volts(wiring, draft, load)
    if volts < LOST_V:
        draft.phases[load.key] = _unjudged(replace(trace, readings=()))
        return False
    readings = (*trace.readings, (reading.at, power, volts))[-cable.KEPT :]
    trace = replace(trace, readings=readings)
    fell = cable.fallen_w(readings)
    if not fell and trace.sampled is not None and draft.now - trace.sampled < timedelta(seconds=_EVERY_S):
        draft.phases[load.key] = trace
        return False
    trace = learning.rolled(draft, load.key, trace, night_of(draft.now, wiring.site.place.zone))
    trace = replace(trace, sampled=draft.now)
    sample = _sample(wiring, draft, load, power, volts)
    draft.phases[load.key] = _unjudged(trace) if sample is None else _judged(wiring, draft, load, trace, sample, fell)
    return True


def _judged(
    wiring: Wiring, draft: Draft, load: PhaseLoad, trace: PhaseTrace, sample: Sample, fell: float
) -> PhaseTrace:
    """The trace after a sample: by day it learns the cabinet's own load, by night what the lamps usually draw."""
    own = learning.situation_of(load.inventory, "own", 0, 0)
    if not sample.lit:
        return _unjudged(learning.with_sample(trace, own, sample.power_w - sample.idle_w))
    base_w = learning.own_load_w(draft, load.key, trace, own)
    usual = learning.usual(draft, load.key, trace, sample.situation)
    cut = trace.cut
    if cut is not None and cable.mended(cut, sample, base_w, usual):
        cut = None
    elif cut is None and fell:
        sure_w = learning.sure_load_w(draft, load.key, trace, own)
        cut = cable.cut_of(wiring, draft, load, sample, fell, min(base_w, sure_w), usual)
    trace = replace(trace, cut=cut, estimate=estimated(sample, base_w, usual))
    if cut is None and not sample.reported_out and (usual is None or missing(sample, base_w, usual) < 0.5):
        trace = learning.with_sample(trace, sample.situation, sample.ratio(base_w))
    return trace


def _unjudged(trace: PhaseTrace) -> PhaseTrace:
    estimate = trace.estimate
    return (
        trace if estimate is None or not estimate.judged else replace(trace, estimate=replace(estimate, judged=False))
    )


def _volts(wiring: Wiring, draft: Draft, load: PhaseLoad) -> float:
    """The mean of the phases that are alive; the nominal voltage where nobody measures it."""
    image = draft.image.get(load.device) or NOTHING_HEARD
    read = (fresh(wiring, draft, load.device, image, point) for point in load.volts)
    known = [volts for volts in read if volts is not None]
    alive = [volts for volts in known if volts >= LOST_V]
    return sum(alive) / len(alive) if alive else (0.0 if known else NOMINAL_V)


def _sample(wiring: Wiring, draft: Draft, load: PhaseLoad, power: float, volts: float) -> Sample | None:
    """What the phase should draw now; None while something has just changed or is not known."""
    lit, lit_w, idle_w, full_w = 0, 0.0, 0.0, 0.0
    fed = {segment: segment_fed(wiring, draft, segment) for segment in load.segments}
    if None in fed.values():
        return None
    for lamp in load.lamps:
        full_w += lamp.type.power_w
        level = _level(wiring, draft, lamp, lamp.segment is None or bool(fed[lamp.segment]))
        if level is None:
            return None
        if level > 0.0:
            lit, lit_w = lit + 1, lit_w + _at_voltage(lamp, expected_power_w(draft, lamp, level), volts)
        elif level == 0.0:
            idle_w += lamp.type.standby_w
    closed = tuple(segment for segment, has_mains in fed.items() if has_mains)
    state = "+".join(str(wiring.site.segments[segment].output) for segment in closed) or "always"
    bins = round(_LEVEL_BINS * lit_w / full_w) if full_w else 0, round((volts - NOMINAL_V) / _VOLT_BIN)
    situation = learning.situation_of(load.inventory, state, *bins)
    return Sample(lit, lit_w, idle_w, power, situation, closed, lamps_reported_out(draft, load.lamps))


_UNFED = -1.0


def _level(wiring: Wiring, draft: Draft, lamp: Lamp, fed: bool) -> float | None:
    """The level (%) that a lamp was told long enough ago, ``_UNFED`` without mains; None: not settled, not known."""
    settled = draft.now - timedelta(seconds=settle_s(wiring, lamp.type))
    since = fed_since(wiring, draft, lamp)
    if since is not None and since > settled:
        return None
    if not fed:
        return _UNFED
    if not lamp.has_node:
        return 100.0
    output = draft.outputs.get(f"lamp/{lamp.id}")
    if output is None or output.since > settled or output.write in (WriteState.PENDING, WriteState.REJECTED):
        return None
    return output.slots[0][1] or 0.0


def _at_voltage(lamp: Lamp, watts: float, volts: float) -> float:
    return watts * (volts / NOMINAL_V) ** _BY_VOLTAGE if lamp.type.warm_up_s > 0.0 else watts


def _estimate_alarm(wiring: Wiring, draft: Draft, place: str, loads: list[PhaseLoad]) -> None:
    judged: dict[PhaseLoad, Estimate] = {}
    for load in loads:
        trace = draft.phases.get(load.key)
        if trace is not None and trace.estimate is not None and trace.estimate.judged:
            judged[load] = trace.estimate
    sure = {load: each for load, each in judged.items() if each.unexplained and each.confidence >= _SURE}
    holding: list[Condition] = []
    if sure:
        detail = ", ".join(f"{each.unexplained} of {len(load.lamps)}{_on(load)}" for load, each in sure.items())
        lamps = float(sum(each.unexplained for each in sure.values()))
        holding.append(condition(wiring.site.timing, "estimatedLampsOut", lamps, detail=detail))
    settle(wiring, draft, place, _ESTIMATE, holding, frozenset() if judged else _ESTIMATE)


def _cable_alarm(wiring: Wiring, draft: Draft, key: str, loads: tuple[PhaseLoad, ...]) -> None:
    """Cuts that no single contactor can be blamed for; the others are judged there."""
    traces = {load: draft.phases.get(load.key) for load in loads}
    cuts = {load: trace.cut for load, trace in traces.items() if trace is not None and trace.cut is not None}
    here = {load: cut for load, cut in cuts.items() if cut.place == key}
    holding: list[Condition] = []
    if here:
        detail = ", ".join(f"about {cut.lamps:.0f} lamps at one stroke{_on(load)}" for load, cut in here.items())
        lamps = sum(cut.lamps for cut in here.values())
        holding.append(condition(wiring.site.timing, "cableFailure", lamps, detail=detail))
    settle(wiring, draft, key, _CABLE, holding)


def _on(load: PhaseLoad) -> str:
    return "" if load.phase is None else f" on phase {load.phase}"
