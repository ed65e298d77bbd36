"""thingsboard-gateway as a contestant, in an environment of its own under .bench/, without its remote side.

It publishes nothing until somebody at the broker has answered its question for the session's limits: the bench does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.field import Broker
from bench.figures import Arrival
from bench.listener import Listener, Message
from bench.process import CACHE, BenchFault, Process
from bench.town import METER_POINTS, device_name
from bench.whole_job import Contestant, Field

_HOME = CACHE / "tb"
_PINNED = ("thingsboard-gateway==3.8.5", "pymodbus==3.9.2", "pyserial==3.5", "pyserial-asyncio==0.6")
"""It would bring the last three itself at its first start."""
_TELEMETRY, _QUESTION, _ANSWER = "v1/gateway/telemetry", "v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/"
_UNLIMITED = "0:0,"
_LIMITS = {"maxPayloadSize": 65536, "maxInflightMessages": 100, "rateLimits": {}, "gatewayRateLimits": {}}
_INSTALL_S, _WARM_S = 600.0, 15.0


def install() -> None:
    """Bring it, once. Raises BenchFault where that fails."""
    if (_HOME / "bin" / "thingsboard-gateway").exists():
        return
    CACHE.mkdir(exist_ok=True)
    steps = ([sys.executable, "-m", "venv", str(_HOME)], [str(_HOME / "bin" / "pip"), "install", "--quiet", *_PINNED])
    for argv in steps:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
        if done.returncode:
            raise BenchFault(f"{' '.join(argv)} failed:\n{done.stderr[-2000:]}")


def _start(folder: Path, broker: Broker, field: Field) -> Process:
    settings = folder / "thingsboard"
    (settings / "logs").mkdir(parents=True, exist_ok=True)
    (settings / "tb_gateway.json").write_text(json.dumps(_gateway(broker.port)))
    (settings / "modbus.json").write_text(json.dumps({"master": {"slaves": _devices(field)}}))
    handlers = {"console": {"class": "logging.StreamHandler", "level": "ERROR"}}
    logs = {"version": 1, "handlers": handlers, "root": {"level": "ERROR", "handlers": ["console"]}}
    (settings / "logs.json").write_text(json.dumps(logs))
    Listener(broker.port, f"{_QUESTION}+", name="bench-limits", answer=_limits)
    program = "import sys; from thingsboard_gateway.gateway.tb_gateway_service import TBGatewayService as Gateway; "
    argv = [str(_HOME / "bin" / "python"), "-c", f"{program}Gateway(sys.argv[1])", str(settings / "tb_gateway.json")]
    return Process(argv, folder / "thingsboard.log", {"PYTHONSAFEPATH": ""})


def _limits(message: Message) -> tuple[str, bytes]:
    return message.topic.replace(_QUESTION, _ANSWER), json.dumps(_LIMITS).encode()


def _gateway(mqtt_port: int) -> dict[str, object]:
    limits = ["rateLimits", "dpRateLimits", "messagesRateLimits"]
    limits += ["deviceRateLimits", "deviceDpRateLimits", "deviceMessagesRateLimits"]
    own: dict[str, object] = {
        "host": "127.0.0.1",
        "port": mqtt_port,
        "remoteShell": False,
        "remoteConfiguration": False,
    }
    own |= {"statistics": {"enable": False}, "deviceFiltering": {"enable": False}, "qos": 0}
    own |= {"maxPayloadSizeBytes": 65536, "minPackSendDelayMS": 50, "minPackSizeToSend": 500}
    own |= {"checkConnectorsConfigurationInSeconds": 60, "handleDeviceRenaming": False}
    own |= {"security": {"type": "accessToken", "accessToken": "bench"}}
    own |= dict.fromkeys(limits, _UNLIMITED)
    return {
        "thingsboard": own,
        "storage": {"type": "memory", "read_records_count": 1000, "max_records_count": 1_000_000},
        "grpc": {"enabled": False},
        "connectors": [{"type": "modbus", "name": "bench", "configuration": "modbus.json"}],
    }


def _devices(field: Field) -> list[dict[str, object]]:
    points = [
        {"tag": name, "type": "32float", "functionCode": 3, "objectsCount": 2, "address": 2 * place}
        for place, (name, _) in enumerate(METER_POINTS)
    ]
    each: dict[str, object] = {"host": "127.0.0.1", "type": "tcp", "method": "socket", "unitId": 1, "timeout": 5}
    each |= {"byteOrder": "BIG", "wordOrder": "BIG", "retries": 1, "retryOnEmpty": True, "retryOnInvalid": True}
    each |= {"pollPeriod": 1000, "connectAttemptTimeMs": 5000, "connectAttemptCount": 5, "deviceType": "default"}
    each |= {"waitAfterFailedAttemptsMs": 300_000, "attributes": [], "timeseries": points}
    each |= {"attributeUpdates": [], "rpc": []}
    return [
        each | {"port": field.first_port + number, "deviceName": device_name(number)} for number in range(field.count)
    ]


def read_batch(message: Message) -> Iterator[Arrival]:
    """It packs readings of many devices into one message."""
    for device, readings in json.loads(message.payload).items():
        for reading in readings:
            values = reading.get("values", reading)
            if "voltage-l1" in values:
                yield Arrival(message.at_s, device, round(values["voltage-l1"]), len(values))


THINGSBOARD = Contestant("thingsboard-gateway", _start, read_batch, (_TELEMETRY,), _WARM_S)
