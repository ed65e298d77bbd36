"""What signals of the town say, by when: taken up as they come, applied when their stretches begin and end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from controller.core.commands import Heard, Misheard
from controller.core.heating import shedding
from controller.core.rooms import SignalState
from controller.core.state import Draft
from controller.core.wiring import Wiring

_KEPT = "signal/"


def signalled(wiring: Wiring, draft: Draft, said: Heard | Misheard) -> None:
    """A signal has spoken, or said what nobody understands: then nothing moves."""
    if isinstance(said, Misheard):
        draft.event("signal-refused", f"signal/{said.signal}", detail=said.detail)
        return
    if said.signal not in wiring.site.signals:
        return
    known = draft.signals.get(said.signal) or SignalState()
    if said.stood and said.lasting:
        if _goes_on(draft, known, said):
            return
        said = _since_first(draft, said)
    _note(draft, said)
    draft.signals[said.signal] = known.heard(said.since, said.stretches, draft.now)
    _apply(wiring, draft, said.signal, known)


def due(wiring: Wiring, draft: Draft, signal: str) -> None:
    """``signal/<id>``: a stretch begins or ends."""
    if signal in wiring.site.signals:
        _apply(wiring, draft, signal, draft.signals.get(signal) or SignalState(), tell=True)


def begin(wiring: Wiring, draft: Draft) -> None:
    """A core begins, or a new configuration: take up what was said before."""
    names = {_name(signal) for signal in wiring.site.signals}
    for name in [name for name in draft.kept if name.startswith(_KEPT) and name not in names]:
        draft.keep(name, None)
    for signal in wiring.site.signals:
        known = draft.signals.get(signal) or SignalState()
        draft.schedule(f"signal/{signal}", known.next_change(draft.now))
    for building in wiring.site.buildings:
        shedding.judge(wiring, draft, building)


def _goes_on(draft: Draft, known: SignalState, said: Heard) -> bool:
    """The broker gives back after each loss what we have heard already: its end does not move by that."""
    standing = known.at(draft.now)
    given = said.stretches[0] if said.stretches else None
    return standing is not None and given is not None and (standing.level, standing.word) == (given.level, given.word)


def _since_first(draft: Draft, said: Heard) -> Heard:
    """The same of a message that was heard before, whose time may be over: a broker that begins anew, or we do."""
    words, first = _noted(draft, said.signal)
    if not said.stretches or first is None or words != _words(said):
        return said
    given, since = said.stretches[0], min(first, said.since)
    stretch = replace(given, since=since, until=since + (given.until - given.since))
    return replace(said, since=since, stretches=(stretch,))


def _note(draft: Draft, said: Heard) -> None:
    """Remember what has no end and no beginning of its own, and when it was first heard, over a restart."""
    undated = said.stood or said.since == said.at
    if said.lasting and said.stretches and undated:
        draft.keep(_name(said.signal), json.dumps([_words(said), said.since.isoformat()], ensure_ascii=False))
    else:
        draft.keep(_name(said.signal), None)


def _noted(draft: Draft, signal: str) -> tuple[str, datetime | None]:
    try:
        words, since = json.loads(draft.kept.get(_name(signal)) or "[0, 0]")
        first = datetime.fromisoformat(since)
    except (ValueError, TypeError):
        return "", None
    return str(words), first if first.tzinfo is not None else None


def _words(said: Heard) -> str:
    """What tells one such message from another."""
    return f"{said.stretches[0].level} {said.stretches[0].word}"


def _name(signal: str) -> str:
    return f"{_KEPT}{signal}"


def _apply(wiring: Wiring, draft: Draft, signal: str, before: SignalState, *, tell: bool = False) -> None:
    known = draft.signals.get(signal) or SignalState()
    now_so, then = known.at(draft.now), before.at(draft.now)
    if tell or now_so != then:
        level, until = (0, None) if now_so is None else (now_so.level, now_so.until)
        word = None if now_so is None else now_so.word or None
        draft.event("signal", f"signal/{signal}", level=level, word=word, until=until)
    draft.schedule(f"signal/{signal}", known.next_change(draft.now))
    for building in wiring.shed_by.get(signal, ()):
        shedding.judge(wiring, draft, building)
