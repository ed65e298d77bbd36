"""Modbus inside TLS: who is trusted, who is not, and what is said about it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from drivers.api import BadAnswer, BindFailed, NoAnswer, NotConnected
from drivers.modbus.client import Client
from drivers.modbus.ends import TcpEnd, Tls
from drivers.modbus.tls import client_context
from drivers.profile import Table
from tests.drivers.modbus_peer import Peer, Say, Script, Store, mbap, silent, tcp_device, tcp_peer

TIMEOUT_S = 2.0


class Authority:
    """Who signs, and what it signed, as files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self.ca = trustme.CA()
        self.ca.cert_pem.write_to_path(directory / "ca.pem")
        client = self.ca.issue_cert("gateway.example")
        client.cert_chain_pems[0].write_to_path(directory / "cert.pem")
        client.private_key_pem.write_to_path(directory / "key.pem")

    def server(self, name: str = "127.0.0.1", asks_for: Authority | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name).configure_cert(context)
        if asks_for is not None:
            asks_for.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    @property
    def trusting(self) -> Tls:
        return Tls(self.directory / "ca.pem")

    @property
    def showing(self) -> Tls:
        return Tls(self.directory / "ca.pem", self.directory / "cert.pem", self.directory / "key.pem")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "town")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "stranger")


@asynccontextmanager
async def client(context: ssl.SSLContext, tls: Tls, script: Script | None = None) -> AsyncIterator[tuple[Client, Peer]]:
    device = tcp_device(Store(registers={0: 5, 1: 6}))
    async with tcp_peer(script or device, tls=context) as peer:
        client = Client(TcpEnd("127.0.0.1", peer.port, tls=tls), TIMEOUT_S, 0)
        try:
            yield client, peer
        finally:
            await client.close()


async def test_a_server_that_the_authority_signed(town: Authority) -> None:
    async with client(town.server(), town.trusting) as (modbus, peer):
        assert await modbus.read(1, Table.HOLDING, 0, 2) == [5, 6]
        await modbus.write(1, Table.HOLDING, 0, [9])
        assert await modbus.read(1, Table.HOLDING, 0, 1) == [9]
        assert peer.connections == 1


async def test_each_side_knows_the_other(town: Authority) -> None:
    async with client(town.server(asks_for=town), town.showing) as (modbus, _):
        assert await modbus.read(1, Table.HOLDING, 0, 1) == [5]


async def test_a_name_of_its_own(town: Authority) -> None:
    named = replace(town.trusting, server_name="cabinet.example")
    async with client(town.server("cabinet.example"), named) as (modbus, _):
        assert await modbus.read(1, Table.HOLDING, 0, 1) == [5]


async def test_whoever_is_not_known_is_not_talked_to(town: Authority, stranger: Authority) -> None:
    async with client(stranger.server(), town.trusting) as (modbus, peer):
        with pytest.raises(NotConnected, match="tls: unable to get local issuer certificate"):
            await modbus.read(1, Table.HOLDING, 0, 1)
        assert peer.asked == []
    async with client(town.server("elsewhere.example"), town.trusting) as (modbus, peer):
        with pytest.raises(NotConnected, match=r"tls: .*not valid for '127.0.0.1'"):
            await modbus.read(1, Table.HOLDING, 0, 1)
        assert peer.asked == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_server_that_asks_who_we_are_and_is_not_told(town: Authority, version: ssl.TLSVersion) -> None:
    context = town.server(asks_for=town)
    context.maximum_version = version
    async with client(context, town.trusting) as (modbus, peer):
        with pytest.raises(NotConnected, match=r"tls: |closed|reset"):
            await modbus.read(1, Table.HOLDING, 0, 1)
        assert peer.asked == []


def test_tls_of_yesterday_is_never_spoken(town: Authority) -> None:
    assert client_context(town.showing).minimum_version is ssl.TLSVersion.TLSv1_2


async def test_a_server_in_the_clear(town: Authority) -> None:
    async with tcp_peer(lambda a: [Say(b"\x00\x01\x00\x00\x00\x03\x01\x83\x01")]) as peer:
        modbus = Client(TcpEnd("127.0.0.1", peer.port, tls=town.trusting), 0.3, 0)
        with pytest.raises(NotConnected):
            await modbus.read(1, Table.HOLDING, 0, 1)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_deadline_and_the_transaction_hold_inside_too(town: Authority) -> None:
    async with client(town.server(), town.trusting, silent) as (modbus, peer):
        short = Client(TcpEnd("127.0.0.1", peer.port, tls=town.trusting), 0.3, 0)
        with pytest.raises(NoAnswer):
            await short.read(1, Table.HOLDING, 0, 1)
        peer.script = lambda a: [Say(mbap(a, bytes([3, 2, 0, 7]), unit=9))]
        with pytest.raises(BadAnswer):
            await modbus.read(1, Table.HOLDING, 0, 1)
        await short.close()


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda t: replace(t, ca=t.ca.parent / "gone.pem"), r"tls: ca .*gone\.pem: no such file"),
        (lambda t: replace(t, key=t.ca.parent / "gone.pem"), r"tls: key .*gone\.pem: no such file"),
        (lambda t: replace(t, ca=Path(__file__)), "holds no certificate"),
        (lambda t: replace(t, key=t.ca), "are no certificate with its key"),
    ],
    ids=["no ca", "no key", "a text", "a wrong key"],
)
async def test_a_file_that_is_missing_or_is_something_else(
    town: Authority, spoil: Callable[[Tls], Tls], cause: str
) -> None:
    async with client(town.server(), spoil(town.showing)) as (modbus, _):
        with pytest.raises(BindFailed, match=cause):
            await modbus.read(1, Table.HOLDING, 0, 1)
