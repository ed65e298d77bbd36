"""SIGHUP takes what changed in the site files, at once and with its difference in the log, or keeps the old plan."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.system.processes import until
from tests.system.town import DAEMON_READY, EVENING, SIM_READY, Town, open_town
from tests.system.witnesses import issued

pytestmark = pytest.mark.system

NEW_LAMP = "l-048,Rue du Stade,cab-ecoles,ecoles-2,16,led-42,50.29625,2.76982\n"
EVENING_OF_THE_QUARTERS = 'levels: {start: 80, "22:30": 50, "00:30": 0, "05:00": 50}'


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A field of 48 lamps and a daemon that knows 47 of them."""
    with open_town(tmp_path_factory.mktemp("town"), EVENING) as town:
        town.sim.start(SIM_READY)
        town.change(NEW_LAMP, "", "lamps.csv")
        town.daemon.start(DAEMON_READY)
        yield town


async def test_a_lamp_added_to_the_file_follows_its_streets_plan_at_once(town: Town) -> None:
    await until(lambda: town.amiss() == {"lamp/l-048": (100.0, 80.0)}, 12.0, "all but the unknown lamp on plan")
    async with town.watched() as heard:
        await until(lambda: heard.last("gateway/state"), 5.0, "the retained states")
        assert not heard.state("lamp/l-048")
        last = "l-047,Rue du Stade,cab-ecoles,ecoles-2,15,led-42,50.29615,2.77022\n"
        town.change(last, last + NEW_LAMP, "lamps.csv")
        town.daemon.send(signal.SIGHUP)
        await until(lambda: not town.amiss(), 3.0, "the new lamp at 80 %")
        await until(lambda: heard.state("lamp/l-048").get("level") == 80.0, 5.0, "its state")
        assert heard.state("lamp/l-048")["reason"].startswith("plan quartiers")
    (line,) = town.daemon.lines("event=configuration.reloaded")
    assert "+1 (l-048)" in line
    assert "~1 (quartier-ecoles)" in line
    assert "plans=" not in line


async def test_a_changed_plan_is_taken(town: Town) -> None:
    await until(lambda: not town.amiss(), 12.0, "the field on plan")
    town.change(EVENING_OF_THE_QUARTERS, EVENING_OF_THE_QUARTERS.replace("80", "70"))
    town.daemon.send(signal.SIGHUP)
    await until(lambda: town.outputs()["lamp/l-033"] == 70.0, 5.0, "a lamp of the quarters at 70 %")
    await until(
        lambda: set(town.amiss().values()) == {(70.0, 80.0)}, 5.0, "all of the quarters at 70 % and nothing else"
    )
    assert "plans=" in town.daemon.lines("event=configuration.reloaded")[-1]
    town.change(EVENING_OF_THE_QUARTERS.replace("80", "70"), EVENING_OF_THE_QUARTERS)
    town.daemon.send(signal.SIGHUP)
    await until(lambda: not town.amiss(), 5.0, "the plan of before")


async def test_a_broken_file_keeps_the_old_plan_and_says_where(town: Town) -> None:
    await until(lambda: not town.amiss(), 12.0, "the field on plan")
    good = town.site_yaml.read_text(encoding="utf-8")
    town.change("overrides: {default: 2h", "overides: {default: 2h")
    town.change('levels: {start: 100, "22:30": 60', 'levels: {start: 100, "25:30": 60')
    lines = town.site_yaml.read_text(encoding="utf-8").splitlines()
    places = [
        (number, line.index(word) + 1)
        for word in ("overides:", '"25:30"')
        for number, line in enumerate(lines, 1)
        if word in line
    ]
    town.daemon.send(signal.SIGHUP)
    await until(lambda: town.daemon.lines("event=configuration.kept"), 5.0, "the refusal")
    refused = town.daemon.lines("event=configuration.refused")
    assert len(refused) == 2
    for line, column in places:
        assert any(f"{town.site_yaml}:{line}:{column}: " in problem for problem in refused), refused
    async with town.watched() as heard:
        town.say("lamp/l-001", {"id": "still-there", "issued": issued(), "level": 33, "for": "1s"})
        await until(lambda: heard.result("lamp/l-001", "still-there"), 5.0, "a result")
        assert heard.result("lamp/l-001", "still-there")["outcome"] == "applied"
        await until(lambda: not town.amiss(), 4.0, "the old plan")
    town.site_yaml.write_text(good, encoding="utf-8")
