"""Change of value: subscribing, notifications and how they end. Frames marked F are of ASHRAE 135, annex F."""

from __future__ import annotations

import math

import pytest

from tests.sim.bacnet_rig import Rig, rigged, wired

BV1, DEV = "0c01400001", "0c02000004"
AI10_1, AV2_1, BV1_1 = "1c0000000a", "1c00800002", "1c01400001"


def values(present: str, flags: str = "00") -> str:
    """The list of values of a notification."""
    return f"4e09552e{present}2f096f2e8204{flags}2f4f"


def notification(process: str, target: str, remaining: str, present: str, flags: str = "00") -> str:
    """The parameters of a notification of device 4."""
    return f"09{process}1c020000042c{target}{remaining}{values(present, flags)}"


async def subscribe(rig: Rig, target: str, kind: str = "2900", lifetime: str = "393c", process: str = "12") -> str:
    """SubscribeCOV; the answer."""
    return await rig.wire.ask(f"00020f0509{process}{target}{kind}{lifetime}")


async def test_a_confirmed_subscription_f_1_10_and_notification_f_1_2() -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"00020f050912{AI10_1}29013900") == "200f05"
        first = (await rig.wire.heard()).hex()
        assert first == "00050001" + notification("12", "0000000a", "3900", "4442820000")
        rig.wire.send(bytes.fromhex("810a00090100200001"))
        assert await rig.wire.is_quiet()


async def test_an_unconfirmed_notification_f_1_3() -> None:
    async with rigged() as rig:
        assert await subscribe(rig, AI10_1) == "200f05"
        assert (await rig.wire.heard()).hex() == "1002" + notification("12", "0000000a", "393c", "4442820000")


async def test_only_changes_of_the_increment_are_told() -> None:
    async with rigged() as rig:
        await subscribe(rig, AI10_1)
        await rig.wire.heard()
        for value in (65.9, 64.1, 65.0):
            rig.plant.values["analog-input-10"] = value
            rig.device.tick()
        assert await rig.wire.is_quiet()
        rig.plant.values["analog-input-10"] = 66.0
        rig.device.tick()
        rig.device.tick()
        assert (await rig.wire.heard()).hex().endswith(values("4442840000"))
        assert await rig.wire.is_quiet()


async def test_status_flags_and_nan_are_changes() -> None:
    async with rigged() as rig:
        await subscribe(rig, AI10_1)
        await rig.wire.heard()
        rig.objects["analog-input,10"].fault = True
        rig.device.tick()
        assert (await rig.wire.heard()).hex().endswith(values("4442820000", "40"))
        rig.plant.values["analog-input-10"] = math.nan
        rig.device.tick()
        rig.device.tick()
        assert (await rig.wire.heard()).hex().endswith(values("447fc00000", "40"))
        assert await rig.wire.is_quiet()


async def test_a_write_from_another_client_is_told_at_once() -> None:
    async with rigged() as rig, wired(rig.wire.target) as other:
        await subscribe(rig, BV1_1)
        assert (await rig.wire.heard()).hex().endswith(values("9100"))
        assert await other.ask(f"0005010f{BV1}19553e91013f") == "20010f"
        assert (await rig.wire.heard()).hex().endswith(values("9101"))


async def test_a_hand_on_the_device_is_told() -> None:
    async with rigged() as rig:
        await subscribe(rig, AV2_1)
        await rig.wire.heard()
        rig.objects["analog-value,2"].command(8, 30.0)
        rig.device.tick()
        assert (await rig.wire.heard()).hex().endswith(values("4441f00000"))


async def test_the_lifetime_counts_down_and_ends() -> None:
    async with rigged() as rig:
        await subscribe(rig, AI10_1)
        await rig.wire.heard()
        rig.plant.now_s += 59.5
        rig.plant.values["analog-input-10"] = 70.0
        rig.device.tick()
        assert notification("12", "0000000a", "3901", "44428c0000") in (await rig.wire.heard()).hex()
        assert rig.device.subscribers == 1
        rig.plant.now_s += 0.5
        rig.plant.values["analog-input-10"] = 80.0
        rig.device.tick()
        assert rig.device.subscribers == 0
        assert await rig.wire.is_quiet()


async def test_renewing_prolongs_and_tells_again_but_takes_no_second_row() -> None:
    async with rigged() as rig:
        await subscribe(rig, AI10_1)
        await rig.wire.heard()
        rig.plant.now_s += 50.0
        await subscribe(rig, AI10_1)
        assert notification("12", "0000000a", "393c", "4442820000") in (await rig.wire.heard()).hex()
        rig.plant.now_s += 59.0
        rig.device.tick()
        assert rig.device.subscribers == 1


async def test_cancelling() -> None:
    async with rigged() as rig:
        await subscribe(rig, AI10_1)
        await rig.wire.heard()
        assert await subscribe(rig, AI10_1, kind="", lifetime="") == "200f05"
        assert rig.device.subscribers == 0
        assert await subscribe(rig, AI10_1, kind="", lifetime="") == "200f05"
        rig.plant.values["analog-input-10"] = 80.0
        rig.device.tick()
        assert await rig.wire.is_quiet()


async def test_a_full_table() -> None:
    async with rigged(cov_table=2) as rig:
        for process in ("01", "02"):
            assert await subscribe(rig, AI10_1, process=process) == "200f05"
            await rig.wire.heard()
        assert await subscribe(rig, AI10_1, process="03") == "500f0591039113"
        assert await subscribe(rig, AI10_1, process="02") == "200f05"
        await rig.wire.heard()
        rig.plant.now_s += 61.0
        assert await subscribe(rig, AI10_1, process="03") == "200f05"
        assert rig.device.subscribers == 1


async def test_a_table_that_is_full_by_command() -> None:
    async with rigged() as rig:
        assert await subscribe(rig, AI10_1, process="01") == "200f05"
        await rig.wire.heard()
        rig.faults.cov_rows = 1
        assert await subscribe(rig, AI10_1, process="02") == "500f0591039113"
        assert await subscribe(rig, AI10_1, process="01") == "200f05", "who is in it may stay"
        await rig.wire.heard()
        rig.faults.cov_rows = None
        assert await subscribe(rig, AI10_1, process="02") == "200f05"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        pytest.param("09121c000000632900393c", "500f059101911f", id="unknown-object"),
        pytest.param("09121c020000042900393c", "500f059101912d", id="the device object"),
        pytest.param(f"0912{AI10_1}393c", "600f05", id="a lifetime alone"),
        pytest.param(f"0d050100000000{AI10_1}2900393c", "600f06", id="a process of 33 bits"),
        pytest.param(f"0912{AI10_1}2902393c", "600f03", id="neither confirmed nor not"),
        pytest.param("0912", "600f05", id="no object"),
        pytest.param(f"0912{AI10_1}2900393c4900", "600f07", id="too many"),
    ],
)
async def test_subscribing_refused(body: str, answer: str) -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(f"00050f05{body}") == answer
        assert rig.device.subscribers == 0


async def test_an_unanswered_confirmed_notification_is_sent_four_times() -> None:
    async with rigged(apdu_timeout_s=0.02) as rig:
        await subscribe(rig, AI10_1, kind="2901")
        sent = [await rig.wire.heard() for _ in range(4)]
        assert len(set(sent)) == 1
        assert rig.device.subscribers == 1
        rig.plant.values["analog-input-10"] = 70.0
        rig.device.tick()
        assert (await rig.wire.heard())[2] == (sent[0][2] + 1) % 256


async def test_an_ack_of_somebody_else_settles_nothing() -> None:
    async with rigged(apdu_timeout_s=0.05) as rig, wired(rig.wire.target) as stranger:
        await subscribe(rig, AI10_1, kind="2901")
        first = await rig.wire.heard()
        stranger.send(bytes.fromhex("810a00090100200001"))
        assert await rig.wire.heard() == first


async def test_the_device_lists_its_subscriptions() -> None:
    async with rigged() as rig:
        await subscribe(rig, AI10_1)
        await rig.wire.heard()
        await subscribe(rig, BV1_1, kind="2901", lifetime="3900", process="01")
        await rig.wire.heard()
        answer = await rig.wire.ask(f"0005010c{DEV}1998")
        mac = f"210065067f000001{rig.wire.port:04x}"
        assert answer == (
            f"30010c{DEV}19983e"
            f"0e0e1e{mac}1f0f19120f1e0c0000000a19551f2900393c4c3f800000"
            f"0e0e1e{mac}1f0f19010f1e0c0140000119551f29013900"
            "3f"
        )
