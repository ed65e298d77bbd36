"""One of 20 devices fails: what the others notice, what a shared line pays, how soon it is back after the fault."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.field import Broker
from bench.figures import Arrival, Freshness, age_s, freshness
from bench.listener import Listener
from bench.plan import Plan
from bench.process import BenchFault, Process, free_ports, python, wait_until
from bench.table import Table
from bench.town import device_name, metering_site, shared_site
from bench.whole_job import STATES, read_state, start_site

_DEVICES, _FAULTS = 20, ("hung", "black-hole", "dribble", "garbage")
_BACK_S = 60.0


@dataclass(frozen=True, slots=True)
class Phase:
    """The others during one fault, how often the failed one was asked, and when it was back (s after the fault)."""

    wiring: str
    fault: str
    others: Freshness
    seconds: float
    asked: int
    back_s: float


class Peer:
    """The devices as one process that is told what fails."""

    def __init__(self, folder: Path, ports: int) -> None:
        self.first_port, self.start_s = free_ports(ports), time.monotonic()
        words = (str(self.first_port), str(ports), repr(self.start_s))
        self.process = Process(python("bench.faulty", *words), folder / "faulty.log")
        self.process.says("ready")

    def change(self, fault: str, port: int, unit: int) -> int:
        """Tell it; how often that unit was asked since it was last told of it."""
        return int(self.process.ask(f"{fault} {port} {unit}", 5.0))


class Trial:
    """The daemon with 20 devices, the last of which fails; ``shared`` puts all behind one gateway."""

    def __init__(self, folder: Path, shared: bool) -> None:
        folder.mkdir()
        self._wiring = "one shared line" if shared else "own connections"
        self._broker, self._peer = Broker(folder), Peer(folder, 1 if shared else _DEVICES)
        site = folder / "site"
        site.mkdir()
        if shared:
            shared_site(site, self._broker.port, self._peer.first_port, _DEVICES)
        else:
            metering_site(site, self._broker.port, self._peer.first_port, _DEVICES)
        self._failing = (self._peer.first_port, _DEVICES) if shared else (self._peer.first_port + _DEVICES - 1, 1)
        self._listener = Listener(self._broker.port, *STATES)
        self._daemon = start_site(site, folder / "state")
        wait_until(lambda: len({arrival.device for arrival in self._arrivals()}) == _DEVICES, 30.0, "all devices heard")

    def _arrivals(self) -> list[Arrival]:
        return [arrival for message in list(self._listener.messages) for arrival in read_state(message)]

    def phase(self, fault: str, seconds: float) -> Phase:
        """``fault`` (``ok``: none) for so long, then its end until the failed device is heard again."""
        self._peer.change(fault, *self._failing)
        begin_s = time.monotonic()
        time.sleep(seconds)
        window = (begin_s, time.monotonic())
        asked = self._peer.change("ok", *self._failing)
        back_s = self._back(time.monotonic())
        failed = device_name(_DEVICES - 1)
        others = [arrival for arrival in self._arrivals() if arrival.device != failed]
        judged = freshness(others, self._peer.start_s, window, _DEVICES - 1)
        return Phase(self._wiring, fault, judged, seconds, asked, back_s)

    def _back(self, since_s: float) -> float:
        def first() -> float:
            return first_good_s(self._arrivals(), device_name(_DEVICES - 1), self._peer.start_s, since_s)

        try:
            wait_until(lambda: not math.isnan(first()), _BACK_S, "the device is back")
        except BenchFault:
            return math.inf
        return first()

    def stop(self) -> None:
        """End all of it."""
        self._daemon.stop()
        self._listener.close()
        self._peer.process.stop()
        self._broker.stop()


def first_good_s(arrivals: Iterable[Arrival], device: str, start_s: float, since_s: float) -> float:
    """How long after ``since_s`` a reading of ``device`` taken after it came; NaN while none has."""
    fresh = (a.at_s for a in arrivals if a.device == device and a.at_s - age_s(a, start_s) >= since_s)
    return min(fresh, default=math.nan) - since_s


def run_faults(folder: Path, plan: Plan) -> list[Table]:
    """Each fault in turn on own connections; a hung unit on a shared line."""
    seconds, line_s = (5.0, 10.0) if plan.quick else (20.0, 65.0)
    phases = _trial(folder / "own", shared=False, faults=_FAULTS, seconds=seconds)
    phases += _trial(folder / "line", shared=True, faults=("hung",), seconds=line_s)
    return [
        Table(
            "faults",
            f"One of {_DEVICES} devices fails, each with 16 points every second",
            (
                "wiring",
                "fault",
                "others' updates",
                "others' age p99 / max ms",
                "more than without ms",
                "asked",
                "back after s",
            ),
            tuple(_row(phase, phases) for phase in phases),
            figures={"phases": [asdict(phase) for phase in phases]},
        )
    ]


def _trial(folder: Path, shared: bool, faults: Sequence[str], seconds: float) -> list[Phase]:
    trial = Trial(folder, shared)
    try:
        time.sleep(3.0)
        return [trial.phase(fault, seconds) for fault in ("ok", *faults)]
    finally:
        trial.stop()


def _row(phase: Phase, phases: Sequence[Phase]) -> tuple[str, ...]:
    without = next(one for one in phases if one.wiring == phase.wiring and one.fault == "ok")
    none = phase is without
    return (
        phase.wiring,
        "none" if none else phase.fault,
        f"{phase.others.share:.1%}",
        f"{phase.others.age_p99_s * 1000:.0f} / {phase.others.age_max_s * 1000:.0f}",
        "" if none else f"{(phase.others.age_p99_s - without.others.age_p99_s) * 1000:+.0f}",
        f"{phase.asked} in {phase.seconds:.0f} s",
        "" if none else f"{phase.back_s:.1f}",
    )
