from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path

import pytest

from drivers.modbus.polling import polls
from drivers.profile import BacnetPoint, Encoding, ModbusLimits, ModbusPoint, Table, WireType, Written
from drivers.profile_file import ProfileError, load_profile, load_profiles, profile_paths, shipped_profiles
from drivers.profile_spec import BacnetSpec, HeadSpec, LimitsSpec, ModbusSpec

MODBUS = """\
id: mine
title: Mine
protocol: modbus
source: bench
checked: 2026-11-21
modbus: {max_registers: 10, max_gap: 0, write_multiple: false}
points:
"""
BACNET = MODBUS.replace("modbus", "bacnet", 1).replace(
    "modbus: {max_registers: 10, max_gap: 0, write_multiple: false}\n", ""
)


def load(directory: Path, text: str) -> dict[str, ModbusPoint | BacnetPoint]:
    path = directory / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return dict(load_profile(path).points)


def problems(directory: Path, text: str) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        load(directory, text)
    return [f"{p.line}:{p.column}: {p.message}" for p in caught.value.problems]


def one_line(directory: Path, spec: str, *more: str) -> list[str]:
    """The problems of a Modbus profile whose points are these lines."""
    return problems(directory, MODBUS + "".join(f"  {line}\n" for line in (spec, *more)))


def test_every_shipped_profile_loads_and_names_the_house_vocabulary() -> None:
    profiles = load_profiles()
    assert {
        "generic-cabinet", "generic-relays", "generic-heating", "generic-thermostat", "intesis-dali", "ecodim-dali",
        "adfweb-dali", *METERS,
    } == set(profiles)  # fmt: skip
    for name, profile in profiles.items():
        assert profile.id == name
        assert profile.source
        assert profile.checked <= date(2026, 11, 24)


METERS = (
    "carlo-gavazzi-em24", "carlo-gavazzi-em340", "eastron-sdm120", "eastron-sdm630", "schneider-iem3155",
    "socomec-countis-e24", "socomec-countis-e44",
)  # fmt: skip
METER_UNITS = {
    "power": "W", "reactive-power": "var", "apparent-power": "VA", "power-factor": "", "energy": "kWh",
    "energy-export": "kWh", "voltage": "V", "current": "A", "frequency": "Hz",
}  # fmt: skip


@pytest.mark.parametrize("name", METERS)
def test_every_meter_has_power_and_energy_in_the_house_units(name: str) -> None:
    points = load_profile(shipped_profiles()[name]).points
    assert {
        "meter.power", "meter.reactive-power", "meter.apparent-power", "meter.energy", "meter.energy-export",
        "meter.voltage-l1", "meter.current-l1",
    } <= set(points)  # fmt: skip
    for point in points.values():
        assert point.unit == METER_UNITS[re.sub(r"^meter\.|-l[123]$", "", point.name)]
        assert (point.every_s == 30.0) == point.name.startswith("meter.energy"), "counters are slow, the rest is not"


@pytest.mark.parametrize("name", METERS)
def test_a_meter_takes_few_requests(name: str) -> None:
    profile = load_profile(shipped_profiles()[name])
    modbus = [point for point in profile.points.values() if isinstance(point, ModbusPoint)]
    fast, slow = (requests for _, requests in polls("m", modbus, profile.modbus))
    assert len(fast) <= 5
    assert len(slow) <= 2


def test_the_page_about_profiles_is_true(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(id: eastron-sdm72d\n.*?)```", text, re.DOTALL)
    path = tmp_path / "eastron-sdm72d.yaml"
    path.write_text(example, encoding="utf-8")
    assert set(load_profile(path).points) == {"meter.power", "meter.energy", "meter.energy-export"}
    shown = set(re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE))
    assert set(shipped_profiles()) <= shown, "every shipped profile stands in the table"
    keys = set(re.findall(r"`([a-z_]+)`", text))
    for model in (HeadSpec, LimitsSpec, ModbusSpec, BacnetSpec):
        assert set(model.model_fields) <= keys, "every key is explained"


def test_a_large_profile_loads_fast() -> None:
    began = time.perf_counter()
    assert len(load_profile(shipped_profiles()["generic-cabinet"]).points) > 600
    assert time.perf_counter() - began < 1.0


def test_a_profile_of_the_site_wins_over_a_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "eastron-sdm120.yaml"
    own.write_text(MODBUS.replace("mine", "eastron-sdm120") + "  door: {table: coil, address: 1, type: bit}\n")
    assert profile_paths(tmp_path)["eastron-sdm120"] == own
    assert list(load_profiles(tmp_path)["eastron-sdm120"].points) == ["door"]
    assert load_profiles(tmp_path)["generic-cabinet"].id == "generic-cabinet"


def test_numbered_points_are_expanded(tmp_path: Path) -> None:
    points = load(
        tmp_path,
        MODBUS
        + '  lamp.{n}.command: {n: 3..5, table: holding, address: 100, step: 4, type: uint16, unit: "%", scale: 0.5,'
        + ' minimum: 0, maximum: 100, every: 1500ms, writable: true, feedback: "lamp.{n}.level"}\n'
        + "  lamp.{n}.level: {n: 3..5, table: input, address: 7, step: 1, type: uint16, sentinels: [0xFFFF]}\n",
    )
    assert list(points) == [f"lamp.{n}.{what}" for what in ("command", "level") for n in (3, 4, 5)]
    assert points["lamp.5.command"] == ModbusPoint(
        "lamp.5.command", Table.HOLDING, 108, WireType.UINT16, "%", 0.5, minimum=0.0, maximum=100.0,
        every_s=1.5, writable=True, feedback="lamp.5.level",
    )  # fmt: skip
    assert points["lamp.4.level"] == ModbusPoint("lamp.4.level", Table.INPUT, 8, WireType.UINT16, sentinels=(0xFFFF,))


def test_a_point_that_is_written_elsewhere_than_it_is_read(tmp_path: Path) -> None:
    points = load(
        tmp_path,
        MODBUS.replace("write_multiple: false", "write_multiple: true")
        + "  lamp.{n}.command: {n: 4..5, table: input, address: 12, step: 4, type: uint16, bits: 0..7,"
        + " encoding: dali-arc, writable: true, write: {address: 64, target: 3, pause: 100ms, settle: 3s}}\n"
        + "  lamp.{n}.level: {n: 4..5, table: holding, address: 12, step: 4, type: uint16, writable: true,"
        + " write: {address: 90, step: 2}}\n",
    )
    command, level = points["lamp.5.command"], points["lamp.5.level"]
    assert isinstance(command, ModbusPoint)
    assert isinstance(level, ModbusPoint)
    assert (command.address, command.bits, command.encoding) == (16, (0, 7), Encoding.DALI_ARC)
    assert command.written == Written(64, 4, 0.1, 3.0)
    assert level.written == Written(92)
    assert (command.resolution, command.relative_resolution) == (0.195, 0.0277)
    assert (level.resolution, level.relative_resolution) == (1.0, 0.0)


def test_limits_and_the_head_are_read(tmp_path: Path) -> None:
    load(tmp_path, MODBUS + "  door: {table: coil, address: 1, type: bit}\n")
    profile = load_profile(tmp_path / "mine.yaml")
    assert profile.modbus == ModbusLimits(max_registers=10, max_gap=0, write_multiple=False)
    assert (profile.id, profile.protocol, profile.checked) == ("mine", "modbus", date(2026, 11, 21))


def test_bacnet_objects_are_numbered(tmp_path: Path) -> None:
    points = load(
        tmp_path,
        BACNET
        + '  zone.{n}.heating: {n: 1..2, object: "analog-value,{n}1", every: 5m}\n'
        + "  zone.{n}.setpoint: {n: 1..2, object: 'analog-value,{n}', writable: true, restore: 14}\n",
    )
    assert points["zone.2.heating"] == BacnetPoint("zone.2.heating", "analog-value,21", every_s=300.0)
    assert points["zone.1.setpoint"] == BacnetPoint("zone.1.setpoint", "analog-value,1", writable=True, restore=14.0)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("a: {table: coil, address: 0, type: float32}", "8:38: the coil table holds bits: type must be bit"),
        ("a: {table: coil, address: 0, type: bit, bit: 2}", "has no registers to take a bit from"),
        ("a: {table: holding, address: 0, type: bit}", "type bit in a register needs bit: 0 to 15"),
        ("a: {table: holding, address: 0, type: uint16, bit: 1}", "bit goes with type bit only"),
        ("a: {table: holding, address: 0, type: bit, bit: 16}", "bit: input should be less than or equal to 15"),
        ("a: {table: holding, address: 0, type: bit, bit: 1, writable: true}", "without touching its neighbours"),
        ("a: {table: input, address: 0, type: uint16, writable: true}", "nothing can be written to the input table"),
        ("a: {table: coil, address: 0, type: bit, scale: 2}", "a bit has no scale, offset or sentinels"),
        ("a: {table: input, address: 0, type: uint16, word_order: little}", "more than one register, not uint16"),
        ("a: {table: input, address: 0, type: uint16, word_order: middle}", "is not one of big, little"),
        ("a: {table: input, address: 0, type: uint16, scale: 0}", "scale 0 makes every value the same"),
        ("a: {table: input, address: 0, type: uint16, scale: .nan}", "scale: input should be a finite number"),
        ("a: {table: input, address: 0, type: uint16, sentinels: [65536]}", "a raw number from 0 to 0xFFFF"),
        ("a: {table: input, address: 65535, type: uint32}", "beyond address 65535"),
        ("a: {table: input, address: yes, type: uint16}", "address: must be a whole number"),
        (
            "a: {table: inptu, address: 0, type: uint16}",
            "'inptu' is not one of coil, discrete, input, holding, did you mean",
        ),
        ("a: {table: input, address: 0, type: uint16, every: 5}", "8:54: every: a duration is a number with its unit"),
        ("a: {table: input, address: 0, type: uint16, every: 0s}", "a duration is a number with its unit"),
        ("a: {table: input, address: 0, type: uint16, feedback: b}", "feedback concerns what is written"),
        ("a: {table: holding, address: 0, type: uint16, writable: true, feedback: b}", "feedback 'b' is no point"),
        ("a: {table: holding, address: 0, type: uint16, writable: true, feedback: a}", "cannot be its own feedback"),
        (
            "a: {table: holding, address: 0, type: uint16, writable: true, minimum: 2, maximum: 1}",
            "greater than maximum",
        ),
        ("a: {table: holding, address: 0, type: uint32, writable: true}", "cannot be written whole"),
        (
            "a: {table: holding, address: 0, typ: uint16}",
            "8:35: unknown key 'typ', did you mean 'type'?; allowed are n,",
        ),
        ("a: {table: holding, address: 0, typ: uint16}", "8:3: 'type' is missing"),
        (
            "a: {table: coil, table: coil, address: 0, type: bit}",
            "8:20: duplicate key 'table': it stands in line 8 already",
        ),
        ("a: 3", "8:6: a: must be a mapping of keys to values"),
        ("A Point: {table: coil, address: 0, type: bit}", "named in small letters"),
        ("a.{n}: {table: coil, address: 0, type: bit}", "both {n} in its name and a range n"),
        ("a: {n: 1..2, table: coil, address: 0, step: 1, type: bit}", "both {n} in its name and a range n"),
        ("a.{n}: {n: 1-8, table: coil, address: 0, step: 1, type: bit}", "written first..last"),
        ("a.{n}: {n: 8..1, table: coil, address: 0, step: 1, type: bit}", "written first..last"),
        ("a.{n}: {n: 1..2, table: coil, address: 0, type: bit}", "step must be at least 1"),
        ("a.{n}: {n: 1..2, table: input, address: 0, step: 1, type: float32}", "step must be at least 2"),
        ("a: {table: input, address: 0, type: uint32, bits: 0..7}", "taken from one register: type must be uint16"),
        ("a: {table: input, address: 0, type: uint16, bits: 9..16}", "8:53: bits: a register has the bits 0 to 15"),
        ("a: {table: holding, address: 0, type: uint16, bits: 0..7, writable: true}", "without touching their neigh"),
        ("a: {table: input, address: 0, type: uint16, encoding: dali}", "not one of linear, dali-arc, did you mean"),
        ("a: {table: input, address: 0, type: int16, encoding: dali-arc}", "is one byte: type must be uint16"),
        ("a: {table: input, address: 0, type: uint16, scale: 2, encoding: dali-arc}", "has no scale or offset"),
        ("a: {table: input, address: 0, type: uint16, write: {address: 1}}", "8:54: write says where to write"),
        ("a: {table: input, address: 0, type: uint32, writable: true, write: {address: 1}}", "values of one register"),
        ("a: {table: input, address: 0, type: uint16, writable: true, write: {adress: 1}}", "did you mean 'address'?"),
        ("a: {table: input, address: 0, type: uint16, writable: true, write: {target: 1}}", "'address' is missing"),
        (
            "a: {table: input, address: 0, type: uint16, writable: true, write: {address: 65535}}",
            "beyond address 65535",
        ),
        (
            "a: {table: input, address: 0, type: uint16, writable: true, write: {address: 1, pause: 1s}}",
            "has no target",
        ),
        (
            "a.{n}: {n: 1..2, table: input, address: 0, step: 1, type: uint16, writable: true, write: {address: 1}}",
            "all these points would be written to one register",
        ),
        (
            "a.{n}: {n: 1..9, table: input, address: 0, step: 1, type: uint16, write: {address: 1, target: 250}}",
            "one beyond 255",
        ),
        (
            "a: {table: input, address: 0, type: uint16, writable: true, write: {address: 1, target: 2}}",
            "cannot be written without write_multiple",
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error(tmp_path: Path, spec: str, problem: str) -> None:
    found = one_line(tmp_path, spec)
    assert any(problem in text for text in found), found


def test_values_that_lie_across_one_another(tmp_path: Path) -> None:
    found = one_line(
        tmp_path,
        "a: {table: input, address: 10, type: uint32}",
        "b: {table: input, address: 11, type: uint16}",
        "c: {table: holding, address: 11, type: uint16}",
        "d: {table: input, address: 10, type: int32}",
        "e: {table: input, address: 11, type: bit, bit: 3}",
    )
    assert found == ["9:30: 'b' lies across 'a' (uint32)"]


def test_a_name_that_comes_twice_after_expansion(tmp_path: Path) -> None:
    found = one_line(
        tmp_path,
        "a.{n}: {n: 1..9, table: input, address: 0, step: 1, type: uint16}",
        "a.4: {table: input, address: 90, type: uint16}",
    )
    assert found == ["9:3: point 'a.4' stands in 'a.{n}' already"]


def test_one_report_for_a_numbered_line(tmp_path: Path) -> None:
    spec = 'a.{n}: {n: 1..9, table: coil, address: 0, step: 1, type: bit, writable: true, feedback: "b.{n}"}'
    assert len(one_line(tmp_path, spec)) == 1


def test_a_broken_line_is_not_reported_again_by_those_that_name_it(tmp_path: Path) -> None:
    found = one_line(
        tmp_path,
        'a.{n}: {n: 1..9, table: coil, address: 0, step: 1, type: bit, writable: true, feedback: "b.{n}"}',
        "b.{n}: {n: 1..9, table: coil, adress: 0, step: 1, type: bit}",
    )
    assert [text.split(":")[0] for text in found] == ["9", "9"]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("a: {object: analog-value}", "'analog-value' is not type,instance"),
        ('a: {object: "analgo-value,1"}', "unknown object type 'analgo-value', did you mean 'analog-value'?"),
        ('a: {object: "analog-value,4194303"}', "instance 4194303 is greater"),
        ('a.{n}: {n: 1..2, object: "analog-value,1"}', "put {n} into it"),
        ('a: {object: "analog-value,{n}"}', "{n} needs a range n"),
        ('a: {object: "analog-value,1", unit_override: true}', "unit_override goes with a unit"),
        ('a: {object: "analog-value,1", writable: true, commandable: true, restore: 3}', "without a priority array"),
        ('a: {object: "analog-value,1", table: coil}', "unknown key 'table'"),
    ],
)
def test_what_no_bacnet_device_has_is_an_error(tmp_path: Path, spec: str, problem: str) -> None:
    found = problems(tmp_path, f"{BACNET}  {spec}\n")
    assert any(problem in text for text in found), found


def test_all_errors_of_a_file_come_at_once_in_its_order(tmp_path: Path) -> None:
    text = (
        "id: your\ntitel: x\nprotocol: modbus\nchecked: soon\nmodbus: {max_register: 3}\npoints:\n"
        "  a: {table: coil}\n  b: {table: coil, address: -1, type: bits}\n"
    )
    limits = ", ".join(LimitsSpec.model_fields)
    assert problems(tmp_path, text) == [
        "1:1: 'source' is missing",
        "1:1: 'title' is missing",
        f"2:1: unknown key 'titel', did you mean 'title'?; allowed are {', '.join(HeadSpec.model_fields)}",
        "4:10: checked: must be a date, e.g. 2026-11-21",
        f"5:10: unknown key 'max_register', did you mean 'max_registers'?; allowed are {limits}",
        "7:3: 'address' is missing",
        "7:3: 'type' is missing",
        "8:29: address: input should be greater than or equal to 0",
        f"8:39: type: 'bits' is not one of {', '.join(WireType)}, did you mean 'bit'?",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: 2\n", "2:2: expected ',' or ']'"),
        ("- 1\n", "1:1: a profile is a mapping"),
        ("", "1:1: a profile is a mapping"),
        ("id: a\x00b\n", "1:1:"),
        ("id: &x mine\ntitle: *x\n", "anchors and aliases are not used"),
        ("id: !!python/object:os.system mine\n", "1:5: 'mine' is not a value"),
        ("checked: 2026-02-31\n", "1:10: '2026-02-31' is not a value"),
        ("? [a]\n: 1\n", "a key must be plain text"),
        (
            MODBUS.replace("id: mine", "id: other") + "  a: {table: coil, address: 1, type: bit}\n",
            "1:5: the id must be",
        ),
        (MODBUS.replace("protocol: modbus", "protocol: knx") + "  a: {}\n", "'knx' is not one of modbus, bacnet"),
        (MODBUS + "  {}\n", "points"),
        (
            MODBUS.replace("protocol: modbus", "protocol: bacnet") + '  a: {object: "loop,1"}\n',
            "'modbus' has no meaning",
        ),
    ],
)
def test_a_file_that_is_no_profile_says_where(tmp_path: Path, text: str, problem: str) -> None:
    found = problems(tmp_path, text)
    assert any(problem in line for line in found), found


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"gone\.yaml:1:1: cannot be read: No such file"):
        load_profile(tmp_path / "gone.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"id: caf\xe9\n")
    with pytest.raises(ProfileError, match="is not UTF-8"):
        load_profile(tmp_path / "latin.yaml")


def test_the_errors_of_several_files_come_together(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("id: one\n")
    (tmp_path / "two.yaml").write_text("id: two\n")
    with pytest.raises(ProfileError) as caught:
        load_profiles(tmp_path)
    assert {p.file.name for p in caught.value.problems} == {"one.yaml", "two.yaml"}
    assert str(caught.value).splitlines()[0].startswith(f"{tmp_path}/one.yaml:1:1: ")


def test_cov_asks_for_reports_and_keeps_a_slow_poll(tmp_path: Path) -> None:
    line = '  outdoor.temperature: {object: "analog-input,1", every: 10s, cov: 1m}\n'
    point = load(tmp_path, BACNET + line)["outdoor.temperature"]
    assert isinstance(point, BacnetPoint)
    assert (point.every_s, point.cov_s, point.quiet_s) == (10.0, 60.0, 60.0)


def test_only_a_present_value_is_reported(tmp_path: Path) -> None:
    line = '  zone.1.setpoint: {object: "analog-value,1", property: relinquish-default, cov: 1m}\n'
    (problem,) = problems(tmp_path, BACNET + line)
    assert problem.endswith("a device reports changes of its present-value only")
