"""The control channel of a running simulator: on 127.0.0.1, one line a request, one line of JSON an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from sim.fault_kinds import KINDS, SCOPES, BadRequest
from sim.faults import Fault
from sim.town import Town

LONGEST_LINE = 4096
USAGE = (
    "fault TARGET KIND [ARGUMENT] [for DURATION] | clear [TARGET [KIND]] | release TARGET | truth | time | list | quit"
)

Answer = dict[str, object]


class Control:
    """Obeys lines; ``quit`` calls ``leave``."""

    def __init__(self, town: Town, leave: Callable[[], None]) -> None:
        self._town = town
        self._verbs: dict[str, Callable[[list[str]], Answer]] = {
            "fault": self._fault,
            "clear": self._clear,
            "release": self._release,
            "truth": self._truth,
            "time": self._time,
            "list": self._list,
            "quit": lambda words: self._quit(words, leave),
        }

    def obey(self, line: str) -> Answer:
        """``{"ok": true, ...}``, or ``{"ok": false, "error": why}`` and then nothing has changed."""
        words = line.split()
        if not words or words[0] not in self._verbs:
            return {"ok": False, "error": f"unknown request {line.strip()!r}; usage: {USAGE}"}
        try:
            return {"ok": True, **self._verbs[words[0]](words[1:])}
        except BadRequest as error:
            return {"ok": False, "error": str(error)}

    def _fault(self, words: list[str]) -> Answer:
        return {"fault": _plain(self._town.sabotage.break_(words, self._town.now_s))}

    def _clear(self, words: list[str]) -> Answer:
        if len(words) > 2:
            raise BadRequest("usage: clear [TARGET [KIND]]")
        target, kind = (*words, None, None)[:2]
        return {"cleared": [str(fault) for fault in self._town.sabotage.repair(target, kind)]}

    def _release(self, words: list[str]) -> Answer:
        if len(words) != 1:
            raise BadRequest("usage: release TARGET")
        return self._clear([words[0], "hand"])

    def _truth(self, words: list[str]) -> Answer:
        _alone("truth", words)
        return {"truth": self._town.truth()}

    def _time(self, words: list[str]) -> Answer:
        _alone("time", words)
        return {"time": self._town.now.isoformat()}

    def _list(self, words: list[str]) -> Answer:
        _alone("list", words)
        return {
            "faults": [_plain(fault) for fault in self._town.faults.active],
            "kinds": [
                {"kind": kind.name, "usage": kind.usage, "of": kind.scope, "meaning": kind.meaning}
                for kind in KINDS.values()
            ],
            "targets": {scope: sorted(set(self._town.sabotage.targets(scope))) for scope in SCOPES},
        }

    def _quit(self, words: list[str], leave: Callable[[], None]) -> Answer:
        _alone("quit", words)
        leave()
        return {}


def _alone(verb: str, words: list[str]) -> None:
    if words:
        raise BadRequest(f"{verb} takes no argument")


def _plain(fault: Fault) -> Answer:
    return {
        "target": fault.target,
        "kind": fault.kind,
        "arguments": list(fault.arguments),
        "until_s": fault.until_s,
    }


class ControlFace:
    """The socket: 127.0.0.1, ``port`` 0 for any free one (see ``port`` after ``start``)."""

    def __init__(self, control: Control, port: int) -> None:
        self.control, self.port = control, port
        self._server: asyncio.Server | None = None
        self._clients: set[_Client] = set()

    async def start(self) -> None:
        """Listen; OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self.control, self._clients), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the socket and all clients; answers that were written still go out."""
        if self._server is None:
            return
        self._server.close()
        for client in list(self._clients):
            client.close()
        await self._server.wait_closed()
        self._server = None

    def lines(self) -> list[str]:
        """Where it stands, for people."""
        return [f"control 127.0.0.1:{self.port}"]


class _Client(asyncio.Protocol):
    def __init__(self, control: Control, clients: set[_Client]) -> None:
        self._control, self._clients = control, clients
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server gives nothing else
        self._transport = transport
        self._clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clients.discard(self)
        self._transport = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._transport is not None and b"\n" in self._buffer:
            line, _, rest = bytes(self._buffer).partition(b"\n")
            self._buffer = bytearray(rest)
            self._answer(line)
        if len(self._buffer) > LONGEST_LINE:
            self.close()

    def _answer(self, line: bytes) -> None:
        answer = self._control.obey(line.decode("utf-8", "replace"))
        if self._transport is not None:
            self._transport.write(json.dumps(answer).encode() + b"\n")
