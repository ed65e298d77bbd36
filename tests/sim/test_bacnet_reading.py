"""Reading, octet by octet, over a real socket. Frames marked F are the examples of ASHRAE 135, annex F."""

from __future__ import annotations

import math

import pytest

from tests.sim.bacnet_rig import rigged

AI5, AI10, AI16 = "0c00000005", "0c0000000a", "0c00000010"
AV2, AO1, BI1, MSV1, DEV = "0c00800002", "0c00400001", "0c00c00001", "0c04c00001", "0c02000004"


def f_ack(invoke: str, service: str, body: str) -> str:
    """A ComplexACK in hex."""
    return f"30{invoke}{service}{body}"


READS = [
    pytest.param(AI5, "1955", "444290999a", id="F.3.5 present-value 72.3"),
    pytest.param(AI5, "194b", "c400000005", id="object-identifier"),
    pytest.param(AI5, "194d", "750f00616e616c6f672d696e7075742d35", id="object-name"),
    pytest.param(AI5, "194f", "9100", id="object-type"),
    pytest.param(AI5, "196f", "820400", id="status-flags"),
    pytest.param(AI5, "1924", "9100", id="event-state"),
    pytest.param(AI5, "1951", "10", id="out-of-service"),
    pytest.param(AI5, "1967", "9100", id="reliability"),
    pytest.param(AI5, "1975", "913e", id="units degrees-celsius"),
    pytest.param(AI10, "1916", "443f800000", id="cov-increment"),
    pytest.param(AO1, "1975", "9162", id="units percent"),
    pytest.param(AO1, "1941", "4442c80000", id="max-pres-value"),
    pytest.param(AO1, "1945", "4400000000", id="min-pres-value"),
    pytest.param(AV2, "1957", "00" * 16, id="priority-array"),
    pytest.param(AV2, "1968", "4441800000", id="relinquish-default"),
    pytest.param(AV2, "19572900", "2110", id="priority-array[0]"),
    pytest.param(AV2, "19572910", "00", id="priority-array[16]"),
    pytest.param(BI1, "1955", "9101", id="binary present-value"),
    pytest.param(BI1, "1954", "9100", id="polarity"),
    pytest.param(BI1, "1904", "73006f6e", id="active-text"),
    pytest.param(MSV1, "1955", "2102", id="multi-state present-value"),
    pytest.param(MSV1, "194a", "2104", id="number-of-states"),
    pytest.param(BI1, "1a01732900", "2108", id="property-list[0]"),
    pytest.param(DEV, "194c2900", "210b", id="object-list[0]"),
    pytest.param(DEV, "194c2901", "c402000004", id="object-list[1]"),
    pytest.param(DEV, "194c2902", "c400000005", id="object-list[2]"),
    pytest.param(DEV, "1962", "2101", id="protocol-version"),
    pytest.param(DEV, "198b", "210e", id="protocol-revision"),
    pytest.param(DEV, "1978", "2203e7", id="vendor-identifier"),
    pytest.param(DEV, "196b", "9103", id="no-segmentation"),
    pytest.param(DEV, "193e", "2205c4", id="max-apdu-length-accepted"),
    pytest.param(DEV, "1970", "9100", id="system-status"),
    pytest.param(DEV, "190b", "220bb8", id="apdu-timeout"),
    pytest.param(DEV, "1949", "2103", id="number-of-apdu-retries"),
    pytest.param(DEV, "1961", "8507" + "07" + "040b0000a800", id="protocol-services-supported"),
    pytest.param(DEV, "1938", "a47e0b1506", id="local-date"),
    pytest.param(DEV, "1939", "b411232d11", id="local-time"),
    pytest.param(DEV, "1977", "3100", id="utc-offset"),
    pytest.param(DEV, "1918", "10", id="daylight-savings-status"),
    pytest.param(DEV, "191e", "", id="device-address-binding"),
]


@pytest.mark.parametrize(("target", "asked", "value"), READS)
async def test_read_property(target: str, asked: str, value: str) -> None:
    async with rigged() as rig:
        answer = await rig.wire.ask(f"0002010c{target}{asked}")
        assert answer == f_ack("01", "0c", f"{target}{asked}3e{value}3f")


async def test_the_wildcard_instance_is_whoever_is_asked() -> None:
    async with rigged() as rig:
        answer = await rig.wire.ask("0005010c0c023fffff194d")
        assert answer == f_ack("01", "0c", "0c02000004194d3e7507004f66666963653f")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        pytest.param("0c000000631955", "50010c9101911f", id="unknown-object"),
        pytest.param("0c3ffffff01955", "50010c9101911f", id="an object type unknown here"),
        pytest.param(f"{AI5}1957", "50010c91029120", id="unknown-property"),
        pytest.param(f"{AI5}1908", "50010c91029120", id="all is for ReadPropertyMultiple"),
        pytest.param(f"{AI5}19552901", "50010c91029132", id="property-is-not-an-array"),
        pytest.param(f"{AV2}19572911", "50010c9102912a", id="invalid-array-index"),
        pytest.param("", "600105", id="missing-required-parameter"),
        pytest.param(AI5, "600105", id="no property"),
        pytest.param("1c000000051955", "600104", id="invalid-tag"),
        pytest.param("0b0000051955", "600103", id="invalid-parameter-data-type"),
        pytest.param(f"{AI5}195500", "600107", id="too-many-arguments"),
        pytest.param(f"{AI5}1b400000", "600106", id="parameter-out-of-range"),
        pytest.param("0c000000", "600104", id="cut"),
    ],
)
async def test_read_property_refused(body: str, answer: str) -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0005010c{body}") == answer


async def test_a_broken_sensor_shows_in_flags_and_reliability() -> None:
    async with rigged() as rig:
        sensor = rig.objects["analog-input,5"]
        sensor.fault = sensor.overridden = sensor.out_of_service = True
        rig.plant.values["analog-input-5"] = math.nan
        assert (await rig.wire.ask(f"0005010c{AI5}196f")).endswith("3e8204703f")
        assert (await rig.wire.ask(f"0005010c{AI5}1967")).endswith("3e91013f")
        assert (await rig.wire.ask(f"0005010c{AI5}1951")).endswith("3e113f")
        assert (await rig.wire.ask(f"0005010c{AI5}1955")).endswith("3e447fc000003f")


async def test_read_property_multiple_f_3_7() -> None:
    async with rigged() as rig:
        answer = await rig.wire.ask(f"0004f10e{AI16}1e095509671f")
        assert answer == f"30f10e{AI16}1e29554e444290999a4f29674e91004f1f"


async def test_read_property_multiple_puts_errors_in_their_places() -> None:
    async with rigged() as rig:
        unknown = "0c00000021"
        answer = await rig.wire.ask(f"0004020e{AI5}1e0955091e1f{unknown}1e09551f{AV2}1e095719110957190d1f")
        assert answer == (
            "30020e"
            f"{AI5}1e29554e444290999a4f291e5e910291205f1f"
            f"{unknown}1e29555e9101911f5f1f"
            f"{AV2}1e295739115e9102912a5f2957390d4e004f1f"
        )


async def test_all_required_and_optional() -> None:
    async with rigged() as rig:
        every = await rig.wire.ask(f"0005010e{BI1}1e09081f")
        required = await rig.wire.ask(f"0005010e{BI1}1e09691f")
        optional = await rig.wire.ask(f"0005010e{BI1}1e09501f")
    head = f"30010e{BI1}1e"
    shared = "294b4ec400c000014f294d4e750f0062696e6172792d696e7075742d314f294f4e91034f29554e91014f296f4e8204004f"
    assert required == f"{head}{shared}29244e91004f29514e104f29544e91004f1f"
    assert optional == f"{head}29674e91004f292e4e74006f66664f29044e73006f6e4f1f"
    pieces = [required.removeprefix(head).removesuffix("1f"), optional.removeprefix(head).removesuffix("1f")]
    assert len(every) == len(head) + sum(len(piece) for piece in pieces) + len("1f")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        pytest.param("", "600105", id="nothing asked"),
        pytest.param(f"{AI5}1e1f", "600104", id="an empty list"),
        pytest.param(f"{AI5}1e0955", "600105", id="not closed"),
        pytest.param(f"{AI5}1e09551f{AI5}", "600105", id="the second object cut"),
    ],
)
async def test_read_property_multiple_refused(body: str, answer: str) -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0005010e{body}") == answer


async def test_a_device_without_read_property_multiple() -> None:
    async with rigged(supports_rpm=False) as rig:
        assert await rig.wire.ask(f"0005010e{AI5}1e09551f") == "600109"
        assert (await rig.wire.ask(f"0005010c{DEV}1961")).endswith("3e85070704090000a8003f")


async def test_what_does_not_fit_is_aborted() -> None:
    async with rigged(max_apdu=206) as rig:
        assert await rig.wire.ask(f"0005010e{DEV}1e09081f") == "710104"
        assert (await rig.wire.ask(f"0005010c{DEV}193e")).endswith("3e21ce3f")
        assert await rig.wire.ask("0005010c" + "00" * 203) == "710101"


async def test_a_client_that_takes_50_octets_gets_no_more() -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0000010c{DEV}194c") == "710104"
        assert (await rig.wire.ask(f"0005010c{DEV}194c")).startswith(f"30010c{DEV}194c3e")


async def test_a_segmented_request_is_aborted() -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"0c050100040e{AI5}1e") == "710104"


@pytest.mark.parametrize("service", [0, 1, 4, 7, 16, 17, 20, 26, 28, 255])
async def test_other_services_are_unrecognized(service: int) -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"000509{service:02x}") == "600909"
