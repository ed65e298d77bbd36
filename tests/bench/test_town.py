"""The sites that the benches generate are sites without an error, with all the points that are due."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.town import METER_POINTS, heating_site, lighting_site, metering_site
from config.load import load_site


@pytest.mark.parametrize("lit", [False, True])
def test_every_modbus_device_has_its_16_points_every_second(tmp_path: Path, lit: bool) -> None:
    site = load_site((lighting_site if lit else metering_site)(tmp_path, 1883, 15_000, 3))
    assert len(site.meters) == len(site.devices) == 3
    assert len(site.lamps) == (3 if lit else 0)
    points = [point for name, point in site.devices["m-0000"].profile.points.items() if name.startswith("meter.")]
    assert len(points) == len(METER_POINTS) == 16
    assert {point.every_s for point in points} == {1.0}


def test_every_bacnet_device_has_its_10_points_every_5_s(tmp_path: Path) -> None:
    site = load_site(heating_site(tmp_path, 1883, 15_100, 15_000, 4, 5))
    assert len(site.meters) == len(site.devices) == 4
    points = site.devices["m-0000"].profile.points.values()
    assert (len(points), {point.every_s for point in points}) == (10, {5.0})
