"""EnergyPlus as a plant: it runs in a thread of its own and waits before every zone time step until it is told to go.

Between two steps all its values stand still, so that they can be read and written like those of any other plant.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, Self

from pyenergyplus.api import EnergyPlusAPI

from bench.energyplus.building import Commanded, HotWaterLoop, commanded_in
from bench.energyplus.idf import Model, only_what_is_asked, run_between
from bench.energyplus.weather import Station

_WEATHER_RUN = 3
"""``kind_of_sim`` of a run through the weather file."""
_METERS = ("NaturalGas:Facility", "Heating:NaturalGas", "Fans:Electricity")
_JOULES_PER_KWH = 3.6e6
_STUCK_S = 1800.0
_STACK_BYTES = 256 * 1024 * 1024
"""The usual 8 MB of a thread is not enough for the larger models."""
DEVICE = "energyplus"
ROOM_C = (5.0, 30.0)
SUPPLY_C = (10.0, 95.0)
"""What the points take, degrees C."""


class EnergyPlusFault(Exception):
    """EnergyPlus stopped by itself or did not start; what it said is in ``eplusout.err`` of the folder named."""


@dataclass(frozen=True, slots=True)
class Run:
    """A model, a climate and the days to go through; ``folder`` takes what EnergyPlus writes."""

    model: Path
    weather: Path
    first: date
    last: date
    folder: Path


@dataclass(slots=True)
class _Actuator:
    """One of EnergyPlus' own values that can be taken out of its hands; ``put`` works until ``reset``."""

    put: Callable[[float], None]
    reset: Callable[[], None]


@dataclass(slots=True)
class _Commandable:
    """A point with a priority array before an actuator; while no slot is occupied EnergyPlus follows its own model."""

    actuator: _Actuator
    low: float
    high: float
    slots: dict[int, float] = field(default_factory=dict)

    def write(self, value: float | None, priority: int) -> None:
        """Fill or free a slot; out of range is not taken."""
        if value is None:
            self.slots.pop(priority, None)
        elif self.low <= value <= self.high:
            self.slots[priority] = value
        if self.slots:
            self.actuator.put(self.slots[min(self.slots)])
        else:
            self.actuator.reset()


class EnergyPlusPlant:
    """The device ``energyplus`` with ``zone.<n>.temperature|setpoint`` in the order of the model's thermostats,
    ``outdoor.temperature``, and with a hot-water loop ``boiler.supply-setpoint|enable|supply-temperature|status``;
    ``boiler.energy`` is the gas of the whole building since the run began.

    Use it as a context manager: it ends its thread.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        model = Model(run.model.read_text(encoding="latin-1"))
        self.station = Station.of(run.weather)
        only_what_is_asked(model)
        run_between(model, run.first, run.last)
        self.found: Commanded = commanded_in(model)
        self._file = run.folder / "in.idf"
        run.folder.mkdir(parents=True, exist_ok=True)
        self._file.write_text(model.text(), encoding="latin-1")
        self._zone = timezone(timedelta(hours=self.station.utc_offset_h))
        self._midnight = datetime.combine(run.first, time(), self._zone)
        self._steps = 0
        self._api = EnergyPlusAPI()
        self._exchange = self._api.exchange
        self._state = self._api.state_manager.new_state()
        self._go, self._waiting = threading.Semaphore(0), threading.Semaphore(0)
        self._arrived = self._ended = False
        self._abandoned = threading.Event()
        self._reads: dict[str, Callable[[], float]] = {}
        self._points: dict[str, _Commandable] = {}
        self._late: dict[int, float] = {}
        self._meters: dict[str, int] = {}
        self.energy_kwh: dict[str, float] = dict.fromkeys(_METERS, 0.0)
        self._thread = threading.Thread(target=self._simulate, name="energyplus", daemon=True)

    def __enter__(self) -> Self:
        self._ask_for_variables()
        self._call_back()
        before = threading.stack_size(_STACK_BYTES)
        self._thread.start()
        threading.stack_size(before)
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ended:
            self._abandoned.set()
            self._go.release()
        self._thread.join(_STUCK_S)
        self._api.runtime.clear_callbacks()
        self._api.state_manager.delete_state(self._state)

    @property
    def now(self) -> datetime:
        """Local standard time of the climate, all the year round."""
        return self._midnight + timedelta(seconds=self._steps * self.step_s)

    @property
    def end(self) -> datetime:
        """The end of the last day."""
        return self._midnight + (self.run.last - self.run.first + timedelta(days=1))

    @property
    def step_s(self) -> float:
        """The one length of a step."""
        return self.found.step_s

    def read(self, device: str, point: str) -> float | None:
        """See ``controller.rehearsal.Plant``."""
        commandable = self._points.get(point) if device == DEVICE else None
        if commandable is not None and commandable.slots:
            return commandable.slots[min(commandable.slots)]
        read = self._reads.get(point) if device == DEVICE else None
        return None if read is None else read()

    def write(self, device: str, point: str, value: float | None, priority: int) -> None:
        """See ``controller.rehearsal.Plant``."""
        commandable = self._points.get(point) if device == DEVICE else None
        if commandable is not None:
            commandable.write(value, priority)

    def slots(self, device: str, point: str) -> Mapping[int, float]:
        """See ``controller.rehearsal.Plant``."""
        commandable = self._points.get(point) if device == DEVICE else None
        return {} if commandable is None else dict(commandable.slots)

    def step(self, dt_s: float) -> None:
        """One zone time step of the model. Raises EnergyPlusFault when it stops before its end."""
        if dt_s != self.step_s:
            raise ValueError(f"this model moves in steps of {self.step_s:g} s")
        if self._ended:
            raise EnergyPlusFault("the run is over")
        self._go.release()
        self._steps += 1
        self._wait()

    @property
    def outdoor_c(self) -> float:
        """Outside, in the shade."""
        return self._reads["outdoor.temperature"]()

    def air_c(self, number: int) -> float:
        """What the thermostat of a zone sees."""
        return self._reads[f"zone.{number}.temperature"]()

    def operative_c(self, number: int) -> float:
        """What a person feels in a zone: air and walls. The thermostat does not see it."""
        return self._reads[f"operative.{number}"]()

    def _wait(self) -> None:
        if not self._waiting.acquire(timeout=_STUCK_S):
            raise EnergyPlusFault(f"EnergyPlus does not move: {self.run.folder}")
        over = self._ended and self.now < self.end
        if over or not (self._arrived or self._ended):
            raise EnergyPlusFault(f"EnergyPlus stopped at {self.now:%m-%d %H:%M}: {self.run.folder / 'eplusout.err'}")

    def _simulate(self) -> None:
        try:
            self._api.runtime.run_energyplus(
                self._state, ["-d", str(self.run.folder), "-w", str(self.run.weather), str(self._file)]
            )
        finally:
            self._ended = True
            self._waiting.release()

    def _ask_for_variables(self) -> None:
        for zone in self.found.zones:
            for name in ("Zone Mean Air Temperature", "Zone Operative Temperature"):
                self._exchange.request_variable(self._state, name, zone)
            self._exchange.request_variable(self._state, "Zone Thermostat Heating Setpoint Temperature", zone)
        self._exchange.request_variable(self._state, "Site Outdoor Air Drybulb Temperature", "Environment")
        if self.found.loop is not None:
            node = self.found.loop.nodes[0]
            for name in ("System Node Temperature", "System Node Setpoint Temperature", "System Node Mass Flow Rate"):
                self._exchange.request_variable(self._state, name, node)

    def _call_back(self) -> None:
        runtime = self._api.runtime
        runtime.set_console_output_status(self._state, False)
        runtime.callback_begin_zone_timestep_before_init_heat_balance(self._state, self._before_step)
        runtime.callback_end_zone_timestep_after_zone_reporting(self._state, self._after_step)
        runtime.callback_after_predictor_after_hvac_managers(self._state, self._after_managers)

    def _is_run(self, state: Any) -> bool:  # noqa: ANN401 - a pointer of the library
        return (
            self._exchange.api_data_fully_ready(state)
            and not self._exchange.warmup_flag(state)
            and self._exchange.kind_of_sim(state) == _WEATHER_RUN
        )

    def _before_step(self, state: Any) -> None:  # noqa: ANN401 - a pointer of the library
        """In EnergyPlus' thread: hand over to whoever steps, and wait to be told to go."""
        if self._abandoned.is_set() or not self._is_run(state):
            return
        self._arrived = False
        try:
            if not self._reads:
                self._find()
            self._arrived = True
        finally:
            self._waiting.release()
        self._go.acquire()
        if self._abandoned.is_set():
            self._api.runtime.stop_simulation(state)

    def _after_step(self, state: Any) -> None:  # noqa: ANN401 - a pointer of the library
        """In EnergyPlus' thread: count what the step used."""
        if not self._is_run(state):
            return
        for name, handle in self._meters.items():
            self.energy_kwh[name] += self._exchange.get_meter_value(state, handle) / _JOULES_PER_KWH

    def _after_managers(self, state: Any) -> None:  # noqa: ANN401 - a pointer of the library
        """In EnergyPlus' thread: setpoints of nodes stand only until its own managers write them again."""
        for handle, value in self._late.items():
            self._exchange.set_actuator_value(state, handle, value)

    def _find(self) -> None:
        for name in list(self.energy_kwh):
            handle = self._exchange.get_meter_handle(self._state, name)
            if handle >= 0:
                self._meters[name] = handle
        self._reads["boiler.energy"] = lambda: self.energy_kwh["NaturalGas:Facility"]
        self._reads["outdoor.temperature"] = self._variable("Site Outdoor Air Drybulb Temperature", "Environment")
        for number, zone in enumerate(self.found.zones, 1):
            self._reads[f"zone.{number}.temperature"] = self._variable("Zone Mean Air Temperature", zone)
            self._reads[f"operative.{number}"] = self._variable("Zone Operative Temperature", zone)
            point = f"zone.{number}.setpoint"
            self._reads[point] = self._variable("Zone Thermostat Heating Setpoint Temperature", zone)
            actuator = self._actuator("Zone Temperature Control", "Heating Setpoint", zone)
            self._points[point] = _Commandable(actuator, *ROOM_C)
        self._find_loop()

    def _find_loop(self) -> None:
        loop = self.found.loop
        if loop is None:
            return
        node = loop.nodes[0]
        flow = self._variable("System Node Mass Flow Rate", node)
        self._reads["boiler.status"] = lambda: float(flow() > 0.0)
        self._reads["boiler.supply-temperature"] = self._variable("System Node Temperature", node)
        self._reads["boiler.supply-setpoint"] = self._variable("System Node Setpoint Temperature", node)
        self._reads["boiler.enable"] = lambda: 1.0
        self._points["boiler.supply-setpoint"] = _Commandable(self._supply(loop), *SUPPLY_C)
        self._points["boiler.enable"] = _Commandable(self._enable(loop), 0.0, 1.0)

    def _supply(self, loop: HotWaterLoop) -> _Actuator:
        """The schedule of the setpoint; without one the nodes themselves, after every turn of their managers."""
        if loop.schedule is not None:
            return self._actuator(loop.schedule.kind, "Schedule Value", loop.schedule.name)
        handles = [self._handle("System Node Setpoint", "Temperature Setpoint", node) for node in loop.nodes]

        def reset() -> None:
            for handle in handles:
                self._late.pop(handle, None)
                self._exchange.reset_actuator(self._state, handle)

        return _Actuator(lambda value: self._late.update(dict.fromkeys(handles, value)), reset)

    def _enable(self, loop: HotWaterLoop) -> _Actuator:
        """Off is commanded, on is the model's own business. The pumps stand: a loop that is off but goes on flowing
        would be cooled by the outdoor air in the coils until it freezes.
        """
        parts = [self._actuator("Plant Loop Overall", "On/Off Supervisory", loop.name)]
        parts += [self._actuator("Pump", "Pump Mass Flow Rate", pump) for pump in loop.pumps]

        def reset() -> None:
            for part in parts:
                part.reset()

        def put(value: float) -> None:
            if value > 0.5:
                reset()
                return
            for part in parts:
                part.put(0.0)

        return _Actuator(put, reset)

    def _variable(self, name: str, key: str) -> Callable[[], float]:
        handle = self._exchange.get_variable_handle(self._state, name, key)
        if handle < 0:
            raise EnergyPlusFault(f"the model has no {name!r} of {key!r}")
        return lambda: float(self._exchange.get_variable_value(self._state, handle))

    def _actuator(self, component: str, control: str, key: str) -> _Actuator:
        handle = self._handle(component, control, key)
        return _Actuator(
            lambda value: self._exchange.set_actuator_value(self._state, handle, value),
            lambda: self._exchange.reset_actuator(self._state, handle),
        )

    def _handle(self, component: str, control: str, key: str) -> int:
        handle = int(self._exchange.get_actuator_handle(self._state, component, control, key))
        if handle < 0:
            raise EnergyPlusFault(f"the model has no actuator {component!r} {control!r} of {key!r}")
        return handle
