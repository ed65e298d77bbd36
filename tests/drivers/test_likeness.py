"""Which profile a device looks like, by its values."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from drivers.likeness import Likeness, Sight, Value, best, named, sample, sight
from drivers.profile import ModbusPoint, Profile, Table, WireType
from drivers.profile_file import load_profiles

SHIPPED = load_profiles()
SDM630, SDM120 = SHIPPED["eastron-sdm630"], SHIPPED["eastron-sdm120"]


def point(unit: str, name: str = "meter.power") -> ModbusPoint:
    return ModbusPoint(name, Table.INPUT, 0, WireType.FLOAT32, unit)


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("V", 231.0, Sight.TELLING), ("V", 402.0, Sight.TELLING), ("V", 0.0, Sight.POSSIBLE), ("V", 17.0, Sight.ODD),
        ("Hz", 50.02, Sight.TELLING), ("Hz", 5000.0, Sight.ODD), ("kWh", -1.0, Sight.ODD),
        ("W", -200.0, Sight.POSSIBLE),
        ("A", 1e-30, Sight.ODD), ("%", 101.0, Sight.ODD), ("", 1.0, Sight.POSSIBLE),
    ],
)  # fmt: skip
def test_how_a_value_looks(unit: str, value: float, expected: Sight) -> None:
    assert sight(point(unit), value) is expected


def seen(profile: Profile, values: Mapping[str, float | None], *, is_named: bool = False) -> Likeness:
    found = [Value(profile.points[name], value, "" if value is not None else "illegal address (exception 2)")
             for name, value in values.items()]  # fmt: skip
    return Likeness(profile, tuple(found), is_named)


def test_the_one_with_more_of_the_mains_comes_first() -> None:
    three = seen(SDM630, {f"meter.voltage-l{n}": 230.0 for n in (1, 2, 3)} | {"meter.frequency": 50.0})
    one = seen(SDM120, {"meter.voltage-l1": 230.0, "meter.frequency": 50.0})
    assert [like.profile.id for like in best([one, three])] == ["eastron-sdm630"]


def test_what_contradicts_or_is_mostly_missing_is_not_suggested() -> None:
    odd = seen(SDM630, {"meter.voltage-l1": 230.0, "meter.voltage-l2": 3.0})
    missing = seen(SDM630, {"meter.voltage-l1": 230.0, "meter.voltage-l2": None})
    silent = seen(SDM630, {"meter.power": 0.0})
    assert best([odd, missing, silent]) == []


def test_the_device_s_own_name_speaks_for_a_profile() -> None:
    assert named(SDM630, ["Eastron", "SDM630-Modbus V2"])
    assert not named(SDM630, ["Eastron", "SDM120"])
    assert not named(SHIPPED["generic-cabinet"], ["generic cabinet"])
    told = seen(SDM120, {"meter.power": 0.0}, is_named=True)
    guessed = seen(SDM630, {f"meter.voltage-l{n}": 230.0 for n in (1, 2, 3)})
    assert best([guessed, told]) == [told]
    assert best([]) == []


def test_one_of_each_kind_stands_for_all() -> None:
    names = [p.name for p in sample(SHIPPED["generic-cabinet"].points.values())]
    assert "lamp.1.level" in names
    assert "meter.voltage-l3" in names
    assert not any(name.startswith(("lamp.2", "segment.2")) for name in names)
