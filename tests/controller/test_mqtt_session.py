"""The session against a real mosquitto: what stands at the broker after each thing that can happen to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.site import Mqtt
from controller.clock import Clock
from controller.core.commands import Command, Refusal
from controller.core.journal import Journal
from controller.mqtt.outbox import Outbox
from controller.mqtt.session import Pace, Session
from controller.mqtt.topics import Topics
from controller.store import Store
from tests.broker import Broker, retained, watching

TOPICS = Topics("veilleuse", "valbourg")
QUICK = Pace(first_retry_s=0.1, last_retry_s=0.5)
ROOT = Path(__file__).resolve().parents[2]
L1, L2 = TOPICS.state("lamp", "l-001"), TOPICS.state("lamp", "l-002")


@dataclass
class Gateway:
    """The northbound half of a daemon."""

    session: Session
    outbox: Outbox
    store: Store
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    commands: list[Command | Refusal] = field(default_factory=list)

    async def until(self, condition: Any, within_s: float = 8.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - the world has no event
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """As the daemon stops: the tasks first, the file last."""
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.tasks.clear()


@contextlib.asynccontextmanager
async def gateway(settings: Mqtt, path: Path, pace: Pace = QUICK) -> AsyncIterator[Gateway]:
    outbox, store = Outbox(), Store.open(path / "veilleuse.db")
    received: list[Command | Refusal] = []
    session = Session(settings, TOPICS, outbox, store, received.append, Clock(), pace)
    found = Gateway(session, outbox, store, commands=received)
    found.tasks = [asyncio.create_task(session.run()), asyncio.create_task(store.run())]
    try:
        yield found
    finally:
        await found.stop()
        await store.close()


def command(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"id": f"c-{number}", "issued": datetime.now(UTC).isoformat(), "level": 40, **changes}


async def test_the_world_stands_at_the_broker_again_after_it_lost_everything(broker: Broker, tmp_path: Path) -> None:
    async with gateway(broker.settings, tmp_path) as ours:
        for number in range(100):
            ours.outbox.retain(TOPICS.state("lamp", f"n-{number}"), {"level": number})
        ours.outbox.retain(L1, {"level": 40})
        ours.outbox.retain(L2, {"level": 60})
        await ours.until(lambda: ours.outbox.depth == 0)
        broker.stop()
        await ours.until(lambda: not ours.session.connected)
        ours.outbox.retain(L1, {"level": 41})
        ours.outbox.retain(L1, {"level": 42})
        ours.outbox.retain(L2, None)
        broker.start()
        await ours.until(lambda: ours.session.connected and ours.outbox.depth == 0)
        found = await retained(broker)
    expected = {TOPICS.state("lamp", f"n-{number}"): f'{{"level":{number}}}' for number in range(100)}
    assert found == {**expected, L1: '{"level":42}', TOPICS.status: "online"}


async def test_while_the_broker_is_away_states_coalesce_and_letters_wait_in_order(
    broker: Broker, tmp_path: Path
) -> None:
    async with gateway(broker.settings, tmp_path) as ours:
        await ours.until(lambda: ours.session.connected)
        broker.stop()
        await ours.until(lambda: not ours.session.connected)
        for number in range(500):
            ours.outbox.retain(L1, {"level": number})
            ours.outbox.send(TOPICS.event, {"name": "lamp-on", "n": number})
        broker.start()
        async with watching(broker) as watcher:
            await watcher.until(lambda: len(watcher.texts(TOPICS.event)) >= 500)
            assert watcher.objects(L1) == [{"level": 499}]
            events = watcher.objects(TOPICS.event)
    assert [event["n"] for event in events] == list(range(500))
    assert [event["seq"] for event in events] == list(range(1, 501))


async def test_a_clean_stop_says_offline_within_a_second(broker: Broker, tmp_path: Path) -> None:
    async with gateway(broker.settings, tmp_path) as ours:
        await ours.until(lambda: ours.session.connected)
        assert (await retained(broker))[TOPICS.status] == "online"
        began = time.monotonic()
        await ours.stop()
        assert time.monotonic() - began < 1.0
        assert (await retained(broker))[TOPICS.status] == "offline"


async def test_a_stop_while_the_broker_is_silent_takes_no_longer(broker: Broker, tmp_path: Path) -> None:
    async with gateway(broker.settings, tmp_path) as ours:
        await ours.until(lambda: ours.session.connected)
        broker.pause()
        began = time.monotonic()
        await ours.stop()
        assert time.monotonic() - began < 1.5
        broker.resume()


async def test_a_stop_while_the_broker_is_away_takes_no_longer(broker: Broker, tmp_path: Path) -> None:
    broker.stop()
    async with gateway(broker.settings, tmp_path) as ours:
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await ours.stop()
        assert time.monotonic() - began < 1.0


DAEMON = """
import asyncio, sys
from pathlib import Path
from config.site import Mqtt
from controller.clock import Clock
from controller.mqtt.outbox import Outbox
from controller.mqtt.session import Session
from controller.mqtt.topics import Topics
from controller.store import Store

async def main(url, path):
    store = Store.open(Path(path))
    await Session(Mqtt(url), Topics("veilleuse", "valbourg"), Outbox(), store, print, Clock()).run()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_the_will_speaks_for_a_killed_daemon(broker: Broker, tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", DAEMON, broker.settings.url, str(tmp_path / "veilleuse.db")]
    async with watching(broker, TOPICS.status) as watcher:
        daemon = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT)
        await watcher.until(lambda: watcher.texts(TOPICS.status) == ["online"], within_s=15.0)
        daemon.kill()
        await watcher.until(lambda: watcher.texts(TOPICS.status) == ["online", "offline"])
        await daemon.wait()
    assert (await retained(broker))[TOPICS.status] == "offline"


async def test_commands_come_in_and_a_retained_one_is_refused(broker: Broker, tmp_path: Path) -> None:
    async with watching(broker) as watcher:
        await watcher.say(TOPICS.command("lamp", "l-001"), command(1), retain=True)
        async with gateway(broker.settings, tmp_path) as ours:
            await ours.until(lambda: ours.commands)
            await watcher.say(TOPICS.command("lamp", "l-002"), command(2))
            await watcher.say(TOPICS.command("zone", "school.hall"), b"20")
            await watcher.say("veilleuse/valbourg/lamp/l-001/x/set", command(3))
            await watcher.say("veilleuse/elsewhere/lamp/l-001/set", command(4))
            await watcher.say(TOPICS.command("lamp", "l-003"), command(5, level=0))
            await ours.until(lambda: len(ours.commands) == 4)
            refused, accepted, garbled, last = ours.commands
            assert ours.session.counts.commands == 4
            assert ours.session.counts.refused == 2
    assert isinstance(refused, Refusal)
    assert (refused.id, refused.detail[:8]) == ("c-1", "retained")
    assert isinstance(accepted, Command)
    assert (accepted.kind, accepted.target, accepted.value) == ("lamp", "l-002", 40.0)
    assert isinstance(garbled, Refusal)
    assert (garbled.kind, garbled.target) == ("zone", "school.hall")
    assert isinstance(last, Command)


async def test_a_command_retained_while_we_listen_is_refused_and_taken_off(broker: Broker, tmp_path: Path) -> None:
    topic = TOPICS.command("lamp", "l-001")
    async with gateway(broker.settings, tmp_path) as ours, watching(broker) as watcher:
        await ours.until(lambda: ours.session.connected)
        await watcher.say(topic, command(1), retain=True)
        await ours.until(lambda: ours.commands)
        await watcher.until(lambda: watcher.texts(topic)[-1:] == [""])
        await watcher.say(topic, command(2))
        await ours.until(lambda: len(ours.commands) == 2)
        assert topic not in await retained(broker)
    refused, accepted = ours.commands
    assert isinstance(refused, Refusal)
    assert (refused.id, refused.detail[:8]) == ("c-1", "retained")
    assert isinstance(accepted, Command)


async def test_mqtt_5_shows_a_retained_command_even_to_those_who_listened(broker: Broker, tmp_path: Path) -> None:
    async with gateway(replace(broker.settings, protocol="5"), tmp_path) as ours:
        await ours.until(lambda: ours.session.connected)
        ours.outbox.retain(L1, {"level": 40})
        async with watching(broker) as watcher:
            await watcher.until(lambda: watcher.texts(L1))
            await watcher.say(TOPICS.command("lamp", "l-001"), command(), retain=True)
            await ours.until(lambda: ours.commands)
        assert isinstance(ours.commands[0], Refusal)
        assert (await retained(broker))[TOPICS.status] == "online"


async def test_a_storm_of_commands_does_not_hold_up_the_states(broker: Broker, tmp_path: Path) -> None:
    async with gateway(broker.settings, tmp_path) as ours, watching(broker, L1) as watcher:
        await ours.until(lambda: ours.session.connected)
        async with watching(broker, "nothing") as sender:
            flood = [sender.say(TOPICS.command("lamp", "l-001"), command(number)) for number in range(900)]
            storm = asyncio.gather(*flood)
            await ours.until(lambda: len(ours.commands) > 50)
            ours.outbox.retain(L1, {"level": 40})
            await watcher.until(lambda: watcher.texts(L1), within_s=2.0)
            await storm
            await ours.until(lambda: len(ours.commands) == 900)


async def test_samples_arrive_numbered_and_leave_the_store_only_then(broker: Broker, tmp_path: Path) -> None:
    broker.stop()
    async with gateway(broker.settings, tmp_path) as ours:
        await ours.store.write(Journal(), [{"n": number} for number in range(250)])
        assert len(await ours.store.pending_samples(10)) == 3
        broker.start()
        async with watching(broker, TOPICS.sample) as watcher:
            await watcher.until(lambda: len(watcher.texts(TOPICS.sample)) == 3)
            await ours.store.write(Journal(), [{"n": 250}])
            await watcher.until(lambda: len(watcher.texts(TOPICS.sample)) == 4)
            batches = watcher.objects(TOPICS.sample)
        await ours.until(lambda: ours.store._forgotten == 4)
        assert await ours.store.pending_samples(10) == []
        series = ours.store.series
    assert [(batch["seq"], batch["historical"]) for batch in batches] == [(1, True), (2, True), (3, True), (4, False)]
    assert {batch["series"] for batch in batches} == {series}
    assert [sample["n"] for batch in batches for sample in batch["samples"]] == list(range(251))


@dataclass
class Cable:
    """A wire to the broker that can be cut in full flight: what was under way is lost on both sides."""

    target: int
    port: int = 0
    wires: list[asyncio.StreamWriter] = field(default_factory=list)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.wires += [writer, far_writer]
        with contextlib.suppress(OSError):
            async with asyncio.TaskGroup() as both:
                both.create_task(self.pass_on(reader, far_writer))
                both.create_task(self.pass_on(far_reader, writer))

    async def pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(512):
                sink.write(chunk)
                await sink.drain()
        sink.close()

    def cut(self) -> None:
        for wire in self.wires:
            wire.transport.abort()
        self.wires.clear()


async def test_nothing_sampled_is_lost_when_the_wire_is_cut_in_full_flight(broker: Broker, tmp_path: Path) -> None:
    cable, count = Cable(broker.port), 0
    listening = await asyncio.start_server(cable.carry, "127.0.0.1", 0)
    settings = Mqtt(f"mqtt://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    async with watching(broker, TOPICS.sample) as watcher, gateway(settings, tmp_path) as ours:
        for cuts in range(1, 6):
            for _ in range(20):
                await ours.store.write(Journal(), [{"n": count}])
                count += 1
            await ours.until(lambda: ours.session.connected)
            cable.cut()
            await ours.until(lambda cuts=cuts: ours.session.counts.losses == cuts)
        await ours.until(lambda: ours.store._forgotten == count)
        batches = watcher.objects(TOPICS.sample)
    assert {batch["seq"] for batch in batches} == set(range(1, count + 1))
    assert all([sample["n"] for sample in batch["samples"]] == [batch["seq"] - 1] for batch in batches)
    listening.close()
    cable.cut()
    await listening.wait_closed()


async def test_a_silent_broker_is_noticed_within_two_keepalives(broker: Broker, tmp_path: Path) -> None:
    settings = replace(broker.settings, keepalive_s=1)
    async with gateway(settings, tmp_path) as ours:
        ours.outbox.retain(L1, {"level": 40})
        await ours.until(lambda: ours.session.connected and ours.outbox.depth == 0)
        broker.pause()
        began = time.monotonic()
        await ours.until(lambda: not ours.session.connected)
        assert time.monotonic() - began < 2 * settings.keepalive_s + 1.5  # the wire is looked at once a second
        ours.outbox.retain(L1, {"level": 50})
        broker.resume()
        await ours.until(lambda: ours.session.connected and ours.outbox.depth == 0)
        assert (await retained(broker))[L1] == '{"level":50}'
        assert (await retained(broker))[TOPICS.status] == "online"


async def test_one_line_at_the_loss_and_one_at_the_return(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with gateway(broker.settings, tmp_path) as ours:
        await ours.until(lambda: ours.session.connected)
        broker.stop()
        await asyncio.sleep(1.0)
        broker.start()
        await ours.until(lambda: ours.session.connected)
        lines = [line for line in "".join(capsys.readouterr()).splitlines() if line]
        assert [("mqtt.online" in line, "mqtt.lost" in line) for line in lines] == [
            (True, False),
            (False, True),
            (True, False),
        ]
        assert (ours.session.counts.connections, ours.session.counts.losses) == (2, 1)


async def test_what_an_earlier_life_left_retained_is_cleared(broker: Broker, tmp_path: Path) -> None:
    stale_alarm = TOPICS.alarm("lamp", "l-001", "lamp-failure")
    live_alarm = TOPICS.alarm("lamp", "l-002", "lamp-failure")
    async with watching(broker) as watcher:
        for topic in (stale_alarm, live_alarm, TOPICS.state("lamp", "removed"), L1, "veilleuse/elsewhere/lamp/x/state"):
            await watcher.say(topic, {"old": True}, retain=True)
    async with gateway(broker.settings, tmp_path, replace(QUICK, orphans_after_s=0.3)) as ours:
        ours.outbox.retain(L1, {"level": 40})
        ours.outbox.retain(live_alarm, {"severity": "major"})
        async with watching(broker, stale_alarm) as watcher:
            await watcher.until(lambda: watcher.texts(stale_alarm) == ['{"old": true}', ""])
        await ours.until(lambda: ours.outbox.depth == 0)
        found = await retained(broker)
    assert set(found) == {L1, live_alarm, TOPICS.status, "veilleuse/elsewhere/lamp/x/state"}


async def test_a_fault_of_ours_ends_the_session_and_still_says_offline(broker: Broker, tmp_path: Path) -> None:
    def broken(_: Command | Refusal) -> None:
        raise ZeroDivisionError("a bug")

    store = Store.open(tmp_path / "veilleuse.db")
    session = Session(broker.settings, TOPICS, Outbox(), store, broken, Clock(), QUICK)
    async with watching(broker) as watcher:
        running = asyncio.create_task(session.run())
        await watcher.until(lambda: session.connected)
        await watcher.say(TOPICS.command("lamp", "l-001"), json.dumps(command()).encode())
        with pytest.raises(ExceptionGroup) as caught:
            await running
        assert caught.group_contains(ZeroDivisionError)
        assert (await retained(broker))[TOPICS.status] == "offline"
    await store.close()
