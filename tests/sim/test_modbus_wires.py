"""The faces for RTU over TCP and for TLS, asked by the driver's own client at the addresses of the site."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from config.site import Bus, ModbusBus, Site
from drivers.api import BadAnswer, NoAnswer, NotConnected
from drivers.modbus.client import Client
from drivers.modbus.ends import Pace, TcpEnd, Tls
from drivers.profile import Table
from sim.faces import build_faces
from sim.modbus_face import ModbusTcpFace
from sim.town import Town
from tests.ports import free_port
from tests.sim.towns import WINTER_EVENING, street

ALL_OPEN = [0] * 8


def on(site: Site, **wire: object) -> Site:
    bus = Bus("line", "modbus", ModbusBus.model_validate({"driver": "modbus", **wire}))
    return replace(site, buses={"line": bus})


@asynccontextmanager
async def standing(site: Site) -> AsyncIterator[tuple[Town, ModbusTcpFace]]:
    town = Town.from_site(site, seed=1, start=WINTER_EVENING)
    (face,) = build_faces(town, lambda: town.now, 1.0)
    assert isinstance(face, ModbusTcpFace)
    await face.start()
    try:
        yield town, face
    finally:
        await face.stop()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory, ca = tmp_path_factory.mktemp("tls"), trustme.CA()
    ca.cert_pem.write_to_path(directory / "ca.pem")
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(directory / "simulator.pem")
    ours = ca.issue_cert("gateway.example")
    ours.cert_chain_pems[0].write_to_path(directory / "cert.pem")
    ours.private_key_pem.write_to_path(directory / "key.pem")
    return directory


async def test_rtu_over_tcp_takes_the_time_of_its_line(tmp_path: Path) -> None:
    port = free_port()
    async with standing(on(street(tmp_path), tcp=f"127.0.0.1:{port}", framing="rtu")) as (town, face):
        assert face.lines()[0] == f"modbus-rtu-tcp 127.0.0.1:{port} unit 1 cab"
        client = Client(TcpEnd("127.0.0.1", port, Pace(9600, "E", 1)), 0.2, 0)
        began = asyncio.get_running_loop().time()
        assert await client.read(1, Table.COIL, 0, 8) == ALL_OPEN
        assert asyncio.get_running_loop().time() - began > 14 * 11 / 9600
        await client.write(1, Table.COIL, 0, [1])
        assert town.lighting.contactors["seg-1"].commanded
        assert (await client.identify(2))[1]
        with pytest.raises(NoAnswer):
            await client.read(9, Table.COIL, 0, 8)
        town.sabotage.break_(["cab", "garbage"], town.now_s)
        with pytest.raises(BadAnswer):
            await client.read(1, Table.COIL, 0, 8)
        town.sabotage.repair("cab")
        assert (await client.read(1, Table.COIL, 0, 8))[0] == 1
        town.sabotage.break_(["cab", "disconnect"], town.now_s)
        with pytest.raises(NotConnected):
            await client.read(1, Table.COIL, 0, 8)
        await client.close()


async def test_tls_with_the_files_of_the_site(tmp_path: Path, pki: Path) -> None:
    port, files = free_port(), {name: str(pki / f"{name}.pem") for name in ("ca", "cert", "key")}
    async with standing(on(street(tmp_path), tcp=f"127.0.0.1:{port}", tls=files)) as (_, face):
        assert face.lines()[0].startswith("modbus-tcp+tls ")
        known = Client(TcpEnd("127.0.0.1", port, tls=Tls(pki / "ca.pem", pki / "cert.pem", pki / "key.pem")), 2.0, 0)
        assert await known.read(1, Table.COIL, 0, 8) == ALL_OPEN
        unknown = Client(TcpEnd("127.0.0.1", port, tls=Tls(pki / "ca.pem")), 2.0, 0)
        with pytest.raises(NotConnected):
            await unknown.read(1, Table.COIL, 0, 8)
        await known.close()
        await unknown.close()


async def test_tls_without_a_certificate_of_ours(tmp_path: Path, pki: Path) -> None:
    port = free_port()
    async with standing(on(street(tmp_path), tcp=f"127.0.0.1:{port}", tls={"ca": str(pki / "ca.pem")})):
        client = Client(TcpEnd("127.0.0.1", port, tls=Tls(pki / "ca.pem")), 2.0, 0)
        assert await client.read(1, Table.COIL, 0, 8) == ALL_OPEN
        await client.close()


async def test_a_simulator_without_its_certificate_says_which_file(tmp_path: Path) -> None:
    site = on(street(tmp_path), tcp="127.0.0.1:5802", tls={"ca": "ca.pem"})
    with pytest.raises(FileNotFoundError, match=r"simulator\.pem: the simulated devices need a certificate"):
        async with standing(site):
            pass
