"""WriteProperty, octet by octet, over a real socket. Frames marked F are the examples of ASHRAE 135, annex F."""

from __future__ import annotations

import pytest

from tests.sim.bacnet_rig import rigged

AI5, AO1, DEV = "0c00000005", "0c00400001", "0c02000004"
AV1, AV2, BV1, MSV1 = "0c00800001", "0c00800002", "0c01400001", "0c04c00001"


async def test_write_property_f_3_9() -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0004590f{AV1}19553e44433400003f") == "20590f"
        assert rig.plant.values["analog-value-1"] == 180.0


async def test_a_priority_array_lowest_number_wins_and_null_frees() -> None:
    async with rigged() as rig:
        point = rig.objects["analog-value,2"]
        assert await rig.wire.ask(f"0005010f{AV2}19553e4441a800003f490d") == "20010f"
        assert (point.slots, rig.plant.values["analog-value-2"]) == ({13: 21.0}, 21.0)
        point.command(8, 18.0)
        assert await rig.wire.ask(f"0005020f{AV2}19553e4441b000003f490d") == "20020f"
        assert (point.slots, rig.plant.values["analog-value-2"]) == ({8: 18.0, 13: 22.0}, 18.0)
        array = "00" * 7 + "4441900000" + "00" * 4 + "4441b00000" + "00" * 3
        assert await rig.wire.ask(f"0005030c{AV2}1957") == f"30030c{AV2}19573e{array}3f"
        point.command(8, None)
        assert await rig.wire.ask(f"0005040f{AV2}19553e003f490d") == "20040f"
        assert (point.slots, rig.plant.values["analog-value-2"]) == ({}, 16.0)


async def test_without_a_priority_it_is_16() -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0005010f{AV2}19553e4441a800003f") == "20010f"
        assert rig.objects["analog-value,2"].slots == {16: 21.0}


async def test_without_a_priority_array_priority_and_null_mean_nothing() -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0005010f{AV1}19553e4441a800003f4906") == "20010f"
        assert await rig.wire.ask(f"0005010f{AV1}19553e003f490d") == "20010f"
        assert rig.plant.values["analog-value-1"] == 21.0
        assert rig.objects["analog-value,1"].slots == {}


@pytest.mark.parametrize(
    ("body", "key", "slot"),
    [
        pytest.param(f"{AO1}19553e44424800003f4901", "analog-output,1", (1, 50.0), id="analog"),
        pytest.param("0c0100000119553e91013f4910", "binary-output,1", (16, 1.0), id="binary"),
    ],
)
async def test_outputs_are_commanded(body: str, key: str, slot: tuple[int, float]) -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0005010f{body}") == "20010f"
        assert rig.objects[key].slots == dict([slot])
        assert rig.plant.values[key.replace(",", "-")] == slot[1]


async def test_plain_binary_and_multi_state_values_are_written() -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0005010f{BV1}19553e91013f") == "20010f"
        assert await rig.wire.ask(f"0005010f{MSV1}19553e21043f") == "20010f"
        assert rig.plant.values["binary-value-1"] == 1.0
        assert rig.plant.values["multi-state-value-1"] == 4.0


async def test_relinquish_default_out_of_service_and_cov_increment_are_written() -> None:
    async with rigged() as rig:
        point = rig.objects["analog-value,2"]
        assert await rig.wire.ask(f"0005010f{AV2}19683e44414000003f") == "20010f"
        assert (point.relinquish_default, point.slots, rig.plant.values["analog-value-2"]) == (12.0, {}, 12.0)
        assert await rig.wire.ask(f"0005010f{AV2}19513e113f") == "20010f"
        assert point.out_of_service
        assert await rig.wire.ask(f"0005010f{AV2}19163e443f0000003f") == "20010f"
        assert point.cov_increment == 0.5


def denied(code: str) -> str:
    """Error of class property."""
    return f"50010f910291{code}"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        pytest.param(f"{AI5}19553e4441a800003f", denied("28"), id="an input"),
        pytest.param(f"{AV2}19553e4441a800003f4906", denied("28"), id="priority 6"),
        pytest.param(f"{AV2}19553e003f4906", denied("28"), id="Null at priority 6"),
        pytest.param(f"{AV2}19553e4441a800003f4900", "600106", id="priority 0"),
        pytest.param(f"{AV2}19553e4441a800003f4911", "600106", id="priority 17"),
        pytest.param(f"{AV1}19553e4441a800003f4911", "600106", id="priority 17 without an array"),
        pytest.param(f"{AV2}19553e21153f490d", denied("09"), id="Unsigned for Real"),
        pytest.param(f"{AV2}19553e550840350000000000003f", denied("09"), id="Double for Real"),
        pytest.param(f"{AV2}19553e4441a800004441a800003f", denied("09"), id="two values"),
        pytest.param(f"{AV2}19553e3f", denied("09"), id="no value"),
        pytest.param(f"{AV2}19553e0e0f3f", denied("09"), id="a constructed value"),
        pytest.param(f"{BV1}19553e113f", denied("09"), id="Boolean for Enumerated"),
        pytest.param(f"{MSV1}19553e91013f", denied("09"), id="Enumerated for Unsigned"),
        pytest.param(f"{AV2}19553e44409fffff3f490d", denied("25"), id="below 5"),
        pytest.param(f"{AV2}19553e44420c00013f490d", denied("25"), id="above 35"),
        pytest.param(f"{AV2}19553e447fc000003f490d", denied("25"), id="NaN"),
        pytest.param(f"{AV1}19553e44ff8000003f", denied("25"), id="minus infinity"),
        pytest.param(f"{BV1}19553e91023f", denied("25"), id="binary 2"),
        pytest.param(f"{MSV1}19553e21003f", denied("25"), id="state 0"),
        pytest.param(f"{MSV1}19553e21053f", denied("25"), id="state 5 of 4"),
        pytest.param(f"{AV2}19683e44430000003f", denied("25"), id="relinquish-default above 35"),
        pytest.param(f"{AV2}19683e003f", denied("09"), id="relinquish-default Null"),
        pytest.param(f"{AV2}19163e44bf8000003f", denied("25"), id="cov-increment below 0"),
        pytest.param(f"{AV2}19513e91013f", denied("09"), id="out-of-service Enumerated"),
        pytest.param(f"{AV2}1957290d3e4441a800003f", denied("28"), id="priority-array[13]"),
        pytest.param(f"{AV2}19572911" + "3e4441a800003f", denied("28"), id="priority-array[17]"),
        pytest.param(f"{AV2}194d3e7200413f", denied("28"), id="object-name"),
        pytest.param(f"{DEV}194d3e7200413f", denied("28"), id="the device's name"),
        pytest.param(f"{AV1}19573e003f", denied("20"), id="unknown-property"),
        pytest.param(f"{AV1}195529013e4441a800003f", denied("32"), id="property-is-not-an-array"),
        pytest.param("0c0080006319553e4441a800003f", "50010f9101911f", id="unknown-object"),
        pytest.param("0c023fffff194d3e7200413f", "50010f9101911f", id="the wildcard is for reading"),
        pytest.param(f"{AV2}1955", "600105", id="no value parameter"),
        pytest.param(f"{AV2}19553e4441a80000", "600105", id="not closed"),
        pytest.param(f"{AV2}19553e4441a800", "600104", id="cut"),
        pytest.param(f"{AV2}19553e4341a8003f", "600103", id="a Real of 3 octets"),
        pytest.param(f"{AV2}19553e4441a800003f490d00", "600107", id="too-many-arguments"),
    ],
)
async def test_a_refused_write_changes_nothing(body: str, answer: str) -> None:
    async with rigged() as rig:
        before = rig.state()
        assert await rig.wire.ask(f"0005010f{body}") == answer
        assert rig.state() == before
