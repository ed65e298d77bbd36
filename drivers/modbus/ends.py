"""Where a Modbus wire leads: a TCP server, with or without TLS, a serial line, or such a line behind TCP. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a serial line is; 8 data bits."""

    baudrate: int
    parity: str
    stopbits: int

    @property
    def character_s(self) -> float:
        """How long one character takes on the line: start, 8 data, parity and stop bits."""
        return (9 + (self.parity != "N") + self.stopbits) / self.baudrate

    @property
    def silence_s(self) -> float:
        """3.5 characters between frames, 1.75 ms above 19200 Bd (Modbus over Serial Line V1.02, 2.5.1.1)."""
        return 0.00175 if self.baudrate > 19200 else 3.5 * self.character_s


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a TLS connection, PEM; with ``cert`` and ``key`` the server can tell who asks."""

    ca: Path
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = None
    """The name in the server's certificate where it is not the host that is connected to."""


@dataclass(frozen=True, slots=True)
class TcpEnd:
    """A Modbus TCP server; with ``pace`` a serial line behind it whose RTU frames travel as they are."""

    host: str
    port: int
    pace: Pace | None = None
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class SerialEnd:
    """A serial line, RTU."""

    path: str
    baudrate: int
    parity: str
    stopbits: int

    @property
    def pace(self) -> Pace:
        """How fast it is."""
        return Pace(self.baudrate, self.parity, self.stopbits)


End = TcpEnd | SerialEnd
