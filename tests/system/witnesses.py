"""Independent clients: mbpoll for Modbus, mosquitto_pub for MQTT, and BACnet octets written by hand (ASHRAE 135)."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
from datetime import UTC, datetime, timedelta

_DEADLINE_S = 5.0
_ANALOG_VALUE, _PRESENT_VALUE, _PRIORITY_ARRAY = 2, 85, 87


def mbpoll(port: int, table: str, register: int, write: int | None = None) -> int | None:
    """Read one register of unit 1, or write it. ``table``: 0 coil, 1 discrete, 3 input, 4 holding; registers from 0."""
    words = ["mbpoll", "-m", "tcp", "-p", str(port), "-a", "1", "-0", "-t", table, "-r", str(register), "-1"]
    words += ["127.0.0.1"] if write is None else ["127.0.0.1", str(write)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in done.stdout.splitlines():
        place, _, value = line.partition(":")
        if place == f"[{register}]":
            return int(value.split()[0])
    return None


def mosquitto_pub(port: int, topic: str, payload: object, *, retain: bool = False) -> None:
    """Publish bytes as they are, anything else as JSON; returns when the broker has it."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    flags = ["-s" if body else "-n", *(["-r"] if retain else [])]
    words = ["mosquitto_pub", "-p", str(port), "-q", "1", "-t", topic, *flags]
    subprocess.run(words, input=body, timeout=_DEADLINE_S, check=True)


def issued(ago: timedelta = timedelta()) -> str:
    """The wall clock's time, ``ago`` before now, as a command carries it."""
    return (datetime.now(UTC) - ago).isoformat(timespec="milliseconds")


def priority_array(port: int, instance: int) -> dict[int, float]:
    """The occupied slots of analog-value ``instance`` at the BACnet/IP device on ``port``."""
    answer = _ask(port, b"\x0c" + _reference(instance, _PRIORITY_ARRAY))
    array = answer[answer.index(b"\x3e") + 1 :]
    slots: dict[int, float] = {}
    for priority in range(1, 17):
        if array[0] == 0x44:
            slots[priority] = struct.unpack(">f", array[1:5])[0]
        array = array[5:] if array[0] == 0x44 else array[1:]
    assert array == b"\x3f"
    return slots


def write_setpoint(port: int, instance: int, value: float, priority: int) -> None:
    """Command analog-value ``instance`` from somewhere else than the daemon."""
    body = b"\x3e\x44" + struct.pack(">f", value) + b"\x3f\x49" + bytes([priority])
    assert _ask(port, b"\x0f" + _reference(instance, _PRESENT_VALUE) + body)[:1] == b"\x20"


def _reference(instance: int, prop: int) -> bytes:
    return b"\x0c" + (_ANALOG_VALUE << 22 | instance).to_bytes(4, "big") + b"\x19" + bytes([prop])


def _ask(port: int, service: bytes) -> bytes:
    """One confirmed request without segmentation; the APDU of its answer."""
    apdu = b"\x00\x05\x01" + service
    with socket.socket(type=socket.SOCK_DGRAM) as wire:
        wire.settimeout(_DEADLINE_S)
        wire.bind(("127.0.0.1", 0))
        wire.sendto(b"\x81\x0a" + (len(apdu) + 6).to_bytes(2, "big") + b"\x01\x04" + apdu, ("127.0.0.1", port))
        return wire.recv(1500)[6:]
