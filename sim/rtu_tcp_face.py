"""RTU frames through TCP: a serial line behind a device server that passes on octets, whoever sent them."""

from __future__ import annotations

from collections.abc import Mapping

from sim.faults import FaultTable
from sim.modbus_face import Connection, ModbusTcpFace, Slave
from sim.rtu_line import RtuLine


class RtuTcpFace(ModbusTcpFace):
    """One ``host``:``port`` with the line of ``slaves`` behind it; ``character_bits`` as for RtuLine."""

    kind = "modbus-rtu-tcp"

    def __init__(
        self,
        host: str,
        port: int,
        slaves: Mapping[int, Slave],
        table: FaultTable,
        *,
        baudrate: int,
        character_bits: int,
        speed: float = 1.0,
    ) -> None:
        super().__init__(host, port, slaves, table)
        self.baudrate, self.character_bits, self.speed = baudrate, character_bits, speed

    def _accept(self) -> Connection:
        return RtuConnection(self, self._connections)


class RtuConnection(Connection):
    """One client of the line."""

    def __init__(self, face: RtuTcpFace, all_connections: set[Connection]) -> None:
        super().__init__(face, all_connections)
        self._line = RtuLine(
            face.slaves,
            self._send,
            baudrate=face.baudrate,
            character_bits=face.character_bits,
            speed=face.speed,
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """What was under way is lost."""
        self._line.drop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Octets for the line."""
        self._line.receive(data)
