"""Nothing is broken, and nothing is raised: days with dimming, cuts, constant light output and discharge lamps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from config.site import Lamp, LampType, Site
from controller.core.commands import Command
from controller.core.wiring import Wiring
from schedules.plan import Plan
from tests.controller.street import Street, raised, street, told
from tests.controller.towns import LED, PLACE, at, program

KEPT = LampType("led-clo", 60.0, 0.6, 10.0, clo=((0.0, 80.0), (50_000.0, 100.0)))
BY_GEAR = replace(
    KEPT, id="led-clo-gear", clo_by_gear=True, profile=((0.0, 0.6), (10.0, 9.0), (50.0, 31.0), (100.0, 60.0))
)
SODIUM = LampType("hps-100", 100.0, 0.0, 50.0, warm_up_s=480.0, cool_down_s=120.0)
CENTRE = Plan("centre", program("centre", {"22:30": 60, "00:30": 0, "05:00": 60}, 30.0), (), PLACE)
DIMMED = Plan("dimmed", program("dimmed", {"21:00": 70, "23:00": 50, "04:30": 80}, 60.0), (), PLACE)
UNTIL_MIDNIGHT = Plan("half", program("half", {"23:59": 0}), (), PLACE)


def mixed(kind: LampType, plan: Plan) -> Site:
    """Twelve lamps on two phases; every third has no node."""
    site = street(12, kind, plan)
    lamps = {
        name: replace(lamp, address=None) if (lamp.address or 0) % 3 == 0 else lamp for name, lamp in site.lamps.items()
    }
    return replace(site, lamps={name: replace(lamp, burnt_h=17_000.0) for name, lamp in lamps.items()})


class Weathered(Street):
    """A sound street as it really is: specimens differ, the voltage wanders, sodium lamps run up and follow it."""

    def _draw(self, lamp: Lamp, phase: int, fed: bool) -> float:
        number = int(lamp.id.removeprefix("l"))
        self.factor[lamp.id] = 1.0 + 0.02 * ((number * 7) % 5 - 2) / 2.0
        if lamp.type is SODIUM:
            self.factor[lamp.id] *= (self.volts[phase] / 230.0) ** 1.5
        if lamp.type.clo_by_gear:
            self.factor[lamp.id] *= 0.88
        return super()._draw(lamp, phase, fed)

    def wander(self, hour: int) -> None:
        self.volts = [231.0 + (hour * 5) % 8 - 4.0, 229.0 - (hour * 3) % 7 + 3.0, 230.0]
        self.gain = [1.008 + 0.0015 * (hour % 3 - 1), 0.993 + 0.0015 * (hour % 2), 1.0]
        self.others_w[0] = 6.0 if hour % 24 in (7, 8, 19) else 0.0


@pytest.mark.parametrize(
    ("kind", "plan"),
    [(LED, CENTRE), (KEPT, DIMMED), (BY_GEAR, CENTRE), (SODIUM, UNTIL_MIDNIGHT)],
    ids=lambda each: each.id,
)
def test_days_in_which_nothing_breaks_raise_nothing(kind: LampType, plan: Plan) -> None:
    field = Weathered(Wiring(mixed(kind, plan)), at("2026-01-05 14:00"))
    field.start()
    for hour in range(4 * 24):
        field.wander(hour)
        field.advance(timedelta(hours=1), every=timedelta(minutes=5))
        assert told(field) == []
        field.steps = field.steps[-1:]


def test_overrides_and_a_restart_in_the_night_raise_nothing() -> None:
    field = Weathered(Wiring(mixed(LED, CENTRE)), at("2026-01-05 14:00"))
    field.start()
    for hour in range(72):
        field.wander(hour)
        if hour % 5 == 0:
            level = 100.0 if hour % 10 else 0.0
            until = field.now + timedelta(minutes=50)
            field.feed(Command(f"c{hour}", "lamp", f"l{1 + hour % 2}", field.now, level, until=until))
        field.advance(timedelta(hours=1), every=timedelta(minutes=2))
        if hour == 30:
            field.start()
        assert raised(field) == {}
        assert told(field) == []
        field.steps = field.steps[-1:]
