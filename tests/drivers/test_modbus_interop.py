"""Our client against pymodbus' servers: Modbus TCP, RTU over TCP, TLS, identification."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from pymodbus import FramerType, ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.api import Refused
from drivers.modbus.client import Client
from drivers.modbus.ends import Pace, TcpEnd, Tls
from drivers.profile import Table
from tests.ports import free_port

TIMEOUT_S = 2.0
IDENTITY = {0: "pymodbus", 1: "PM", 2: "3.x", 4: "reference", 5: "S" * 200}


def device() -> SimDevice:
    return SimDevice(1, simdata=[SimData(0, values=list(range(100, 120)), datatype=DataType.REGISTERS)])


@asynccontextmanager
async def serving(server: ModbusTcpServer, end: TcpEnd) -> AsyncIterator[Client]:
    await server.serve_forever(background=True)
    client = Client(end, TIMEOUT_S, 0)
    try:
        yield client
    finally:
        await client.close()
        await server.shutdown()  # type: ignore[no-untyped-call]


async def exercise(client: Client) -> None:
    assert await client.read(1, Table.HOLDING, 3, 4) == [103, 104, 105, 106]
    await client.write(1, Table.HOLDING, 3, [7])
    await client.write(1, Table.HOLDING, 4, [8, 9])
    assert await client.read(1, Table.HOLDING, 3, 4) == [7, 8, 9, 106]
    with pytest.raises(Refused, match="illegal address"):
        await client.read(1, Table.HOLDING, 500, 1)


@pytest.mark.parametrize(
    ("framer", "pace"), [(FramerType.SOCKET, None), (FramerType.RTU, Pace(115_200, "N", 1))], ids=["tcp", "rtu"]
)
async def test_tcp_and_rtu_over_tcp(framer: FramerType, pace: Pace | None) -> None:
    port = free_port()
    identity = ModbusDeviceIdentification(IDENTITY)  # type: ignore[no-untyped-call]
    server = ModbusTcpServer(device(), framer=framer, address=("127.0.0.1", port), identity=identity)
    async with serving(server, TcpEnd("127.0.0.1", port, pace)) as client:
        await exercise(client)
        assert await client.identify(1) == IDENTITY


async def test_tls(tmp_path: Path) -> None:
    port, ca, context = free_port(), trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server = ModbusTlsServer(device(), sslctx=context, address=("127.0.0.1", port))
    async with serving(server, TcpEnd("127.0.0.1", port, tls=Tls(tmp_path / "ca.pem"))) as client:
        await exercise(client)
