"""EDE files as makers write them, read into objects and drafted into profiles that load."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bacnet.ede import Ede, parse_ede, read_ede
from drivers.bacnet.listing import ListedObject, object_type, unit_named
from drivers.bacnet.naming import plain, suggested_names
from drivers.profile import BacnetPoint
from drivers.profile_draft import profile_draft, profile_from_ede, slug
from drivers.profile_file import load_profile
from drivers.profile_source import Problem, ProfileError

FILES = Path(__file__).parent / "ede"
HEADER = "keyname;device obj.-instance;object-name;object-type;object-instance;unit-code\n"


def found(ede: Ede, name: str) -> ListedObject:
    return next(item for item in ede.objects if item.name == name)


def problems(text: str) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        parse_ede(text, Path("list.csv"))
    return [str(problem) for problem in caught.value.problems]


def test_a_file_in_cp1252_with_quotes_and_decimal_commas() -> None:
    ede = read_ede(FILES / "ecole_EDE.csv")
    assert (ede.project, ede.devices, len(ede.objects)) == ("Groupe scolaire Jean Jaurès", (1201,), 15)
    assert found(ede, "S101_Csg") == ListedObject(
        "analog-value", 1, "S101_Csg", "Consigne salle 101", "degC", 1201,
        settable=True, cov=True, minimum=12.0, maximum=24.5, default=19.0,
    )  # fmt: skip
    assert found(ede, "S101_Vanne").description == "Vanne radiateurs; salle 101"
    assert found(ede, "Constructeur").type == "200"
    assert "RTU1" not in {item.name for item in ede.objects}, "the device object is no point"


def test_a_file_in_utf_16_with_tabs_and_words_for_numbers() -> None:
    ede = read_ede(FILES / "rathaus.csv")
    assert [(item.object, item.unit) for item in ede.objects] == [
        ("analog-input,12", "degC"), ("analog-value,12", "degC"), ("analog-output,12", "%"), ("analog-input,1", "degC"),
    ]  # fmt: skip
    assert found(ede, "AussenTemp").description == "Außentemperatur"


def test_a_file_without_header_and_with_a_line_break_in_quotes() -> None:
    ede = read_ede(FILES / "two_devices.csv")
    assert ede.devices == (1, 2)
    assert ede.objects[1].description == "set point, room 1"
    assert ede.objects[2].description == "room temperature"


def test_every_mistake_of_a_file_is_named_with_its_place() -> None:
    with pytest.raises(ProfileError) as caught:
        read_ede(FILES / "broken.csv")
    assert [(p.line, p.column, p.message) for p in caught.value.problems] == [
        (2, 8, "object-type 'analog-imput' is neither a number nor the name of a BACnet object type"),
        (3, 10, "object-instance 'x' is not a whole number up to 4194302"),
        (4, 3, "device obj.-instance 'one' is not a whole number up to 4194302"),
        (6, 10, "analog-input,4 stands in line 5 already"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["list.csv:1:1: no object is listed: is this an EDE file?"]),
        ("a;b\nc;d\n", ["list.csv:1:1: no object is listed: is this an EDE file?"]),
        (
            "keyname;object-name;object-type;description\n",
            ["list.csv:1:1: the header line has no column object-instance"],
        ),
        (HEADER + 'k;1;"a\nb";0;1;62\nk;1;c;0;1;62\n', ["list.csv:4:9: analog-input,1 stands in line 2 already"]),
        (HEADER + "k;1;short\n", ["list.csv:2:1: the line ends before object-type, object-instance"]),
    ],
)
def test_files_that_are_no_lists(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ProfileError, match=r"nowhere\.csv:1:1: cannot be read"):
        read_ede(FILES / "nowhere.csv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "analog-input"), ("AV", "analog-value"), ("OBJECT_MULTI_STATE_VALUE", "multi-state-value"),
        ("Binary Input", "binary-input"), ("128", "128"), ("1024", None), ("", None), ("-1", None),
    ],
)  # fmt: skip
def test_object_types_in_their_spellings(text: str, expected: str | None) -> None:
    assert object_type(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("62", "degC"), ("degreesCelsius", "degC"), ("degrees-celsius", "degC"), ("°C", "degC"), ("kWh", "kWh"),
        ("98", "%"), ("95", ""), ("", ""), ("m³/h", "m3/h"), ("186", None), ("furlong", None),
    ],
)  # fmt: skip
def test_units_in_their_spellings(text: str, expected: str | None) -> None:
    assert unit_named(text) == expected


def test_the_bacnet_numbers_are_those_of_the_library() -> None:
    basetypes = pytest.importorskip("bacpypes3.basetypes")
    for number, word in enumerate(("volt-amperes", "kilowatts", "percent", "degrees-celsius", "cubic-meters-per-hour")):
        code = int(basetypes.EngineeringUnits(word))
        assert unit_named(str(code)) == unit_named(word) is not None, number
    for word in ("analog-value", "multi-state-value", "accumulator", "binary-lighting-output", "network-port"):
        assert object_type(str(int(basetypes.ObjectType(word)))) == word


def test_the_names_of_a_school() -> None:
    ede = read_ede(FILES / "ecole_EDE.csv")
    assert {name: item.name for item, name in suggested_names(ede.objects).items()} == {
        "zone.1.temperature": "S101_TAmb",
        "zone.1.setpoint": "S101_Csg",
        "zone.1.heating": "S101_Vanne",
        "zone.2.temperature": "Gymnase_TAmb",
        "zone.2.setpoint": "Gymnase_Csg",
        "outdoor.temperature": "TExt",
        "boiler.supply-temperature": "CHAUD_Tdep",
        "boiler.status": "CHAUD_Marche",
        "boiler.energy": "Chaleur",
    }


def test_a_zone_is_found_in_the_description_where_the_name_says_nothing() -> None:
    listed = [
        ListedObject("analog-input", 3, "AI_03", "Température de la salle 7", "degC"),
        ListedObject("analog-value", 9, "AV_09", "Consigne salle 7", "degC", settable=True),
    ]
    assert list(suggested_names(listed).values()) == ["zone.1.temperature", "zone.1.setpoint"]


def test_one_name_is_given_once_and_a_foreign_unit_gets_none() -> None:
    outdoor = [ListedObject("analog-input", n, f"Outdoor {n}", "", "degC") for n in (1, 2)]
    fahrenheit = ListedObject("analog-input", 3, "Room Temp", "", "degF")
    assert suggested_names([*outdoor, fahrenheit]) == {outdoor[0]: "outdoor.temperature"}


def test_the_draft_of_a_school_is_a_profile_that_loads(tmp_path: Path) -> None:
    text = profile_from_ede(FILES / "ecole_EDE.csv", checked=date(2026, 11, 24))
    path = tmp_path / "ecole.yaml"
    path.write_text(text, encoding="utf-8")
    profile = load_profile(path)
    assert (profile.title, profile.checked) == ("Groupe scolaire Jean Jaurès", date(2026, 11, 24))
    assert len(profile.points) == 9
    setpoint = profile.points["zone.1.setpoint"]
    assert isinstance(setpoint, BacnetPoint)
    assert (setpoint.object, setpoint.commandable, setpoint.minimum, setpoint.maximum) == (
        "analog-value,1",
        True,
        12.0,
        24.5,
    )
    gym = profile.points["zone.2.setpoint"]
    assert (gym.minimum, gym.maximum) == (5.0, 30.0)
    assert '  # ?: {object: "analog-input,103", unit: ppm}   # CTA_CO2: CO2 reprise (COV)' in text.splitlines()
    assert "200," not in text, "a maker's own object type cannot be a point"


def test_the_draft_of_a_town_hall(tmp_path: Path) -> None:
    text = profile_from_ede(FILES / "rathaus.csv", profile_id="rathaus-2")
    path = tmp_path / "rathaus-2.yaml"
    path.write_text(text, encoding="utf-8")
    assert set(load_profile(path).points) == {
        "zone.1.temperature", "zone.1.setpoint", "zone.1.heating", "outdoor.temperature",
    }  # fmt: skip


def test_one_device_is_chosen_where_a_file_lists_several() -> None:
    with pytest.raises(ProfileError, match="several devices are listed, say which one: 1, 2"):
        profile_from_ede(FILES / "two_devices.csv")
    with pytest.raises(ProfileError, match="no object of device 3 is listed"):
        profile_from_ede(FILES / "two_devices.csv", device=3)
    assert "set point, room 1" not in profile_from_ede(FILES / "two_devices.csv", device=2)


def test_names_that_try_to_break_the_draft(tmp_path: Path) -> None:
    nasty = ListedObject("analog-input", 1, 'Room Temp" #\x00}', "a: b\r\n- c", "degC")
    text = profile_draft([nasty], profile_id="x", title='"quoted" #', source="a: b", checked=date(2026, 1, 1))
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    profile = load_profile(path)
    assert (profile.title, profile.source, list(profile.points)) == ('"quoted" #', "a: b", ["zone.1.temperature"])


def test_ids_from_names() -> None:
    assert (slug("École Jaurès_2"), slug("***")) == ("ecole-jaures-2", "device")
    assert plain("S101_TAmb RoomTemp Straße") == "s101 tamb room temp strasse"


@pytest.mark.parametrize(
    ("minimum", "maximum", "limits"),
    [(None, None, (5, 30)), (0, 100, (5, 30)), (12, 24.5, (12, 24.5)), (40, 80, (5, 30)), (20, 20, (5, 30))],
)
def test_a_drafted_setpoint_stays_within_a_rooms_temperatures(
    tmp_path: Path, minimum: float | None, maximum: float | None, limits: tuple[float, float]
) -> None:
    item = ListedObject("analog-value", 1, "Consigne", "", "degC", settable=True, minimum=minimum, maximum=maximum)
    path = tmp_path / "x.yaml"
    path.write_text(profile_draft([item], profile_id="x", title="x", source="x", checked=date(2026, 1, 1)))
    point = load_profile(path).points["zone.1.setpoint"]
    assert (point.minimum, point.maximum) == limits


@given(st.lists(st.lists(st.text(alphabet='ab";,\t\n\r#é 0159-', max_size=8), max_size=18), max_size=12))
def test_any_text_is_objects_or_errors_with_places(cells: list[list[str]]) -> None:
    text = HEADER + "\n".join(";".join(row) for row in cells)
    lines = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    problems: tuple[Problem, ...] = ()
    try:
        assert parse_ede(text, Path("list.csv")).objects
    except ProfileError as error:
        problems = error.problems
    assert all(1 <= problem.line <= lines and problem.column >= 1 for problem in problems)


def test_a_long_list_is_read_at_once() -> None:
    began = time.perf_counter()
    lines = (f"k{n};7;Salle {n} Temp;0;{n};62\n" for n in range(5000))
    names = suggested_names(parse_ede(HEADER + "".join(lines), Path("list.csv")).objects)
    assert names[max(names, key=lambda item: item.instance)] == "zone.5000.temperature"
    assert time.perf_counter() - began < 3.0
