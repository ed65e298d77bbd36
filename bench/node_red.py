"""Node-RED with node-red-contrib-modbus as a contestant: client, reader, function and publisher for each device.

It is brought by npm into .bench/node-red. The serial library that contrib-modbus names lives outside npm's registry;
npm's own modbus-serial takes its place. Node-RED is embedded as its documentation shows, without editor: its start
script refuses Node 20, which runs it well.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from bench.field import Broker
from bench.process import CACHE, BenchFault, Process
from bench.town import METER_POINTS, device_name
from bench.whole_job import Contestant, Field, read_plain

_HOME = CACHE / "node-red"
_PACKAGE = {
    "name": "veilleuse-bench-node-red",
    "private": True,
    "dependencies": {"node-red": "5.0.7", "node-red-contrib-modbus": "5.60.2"},
    "overrides": {"@openp4nr/modbus-serial": "npm:modbus-serial@8.0.25"},
}
_EMBED = """const RED = require(process.argv[2] + '/node_modules/node-red');
const server = require('http').createServer();
RED.init(server, {userDir: process.argv[2], flowFile: process.argv[3], httpAdminRoot: false, httpNodeRoot: false,
                  logging: {console: {level: 'warn'}}});
RED.start();
"""
_DECODE = """const names = %s;
const raw = msg.responseBuffer.buffer, out = {};
names.forEach((name, place) => { out[name] = raw.readFloatBE(4 * place); });
return {payload: JSON.stringify(out)};"""
_INSTALL_S = 600.0
_WARM_S = 15.0
"""Its compiler warms up: five seconds earlier it costs half as much again."""


def install() -> None:
    """Bring it, once. Raises BenchFault where there is no npm or it fails."""
    if (_HOME / "node_modules" / "node-red-contrib-modbus").is_dir():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise BenchFault("npm is missing: apt-get install npm")
    _HOME.mkdir(parents=True, exist_ok=True)
    (_HOME / "package.json").write_text(json.dumps(_PACKAGE))
    argv = [npm, "install", "--no-audit", "--no-fund", "--omit=dev"]
    done = subprocess.run(argv, cwd=_HOME, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    if done.returncode:
        raise BenchFault(f"npm install failed:\n{done.stderr[-2000:]}")


def _start(folder: Path, broker: Broker, field: Field) -> Process:
    flow, embed = folder / "flow.json", folder / "embed.js"
    flow.write_text(json.dumps(flow_of(broker.port, field.first_port, field.count)))
    embed.write_text(_EMBED)
    argv = ["node", str(embed), str(_HOME), str(flow)]
    return Process(argv, folder / "node-red.log")


def flow_of(mqtt_port: int, first_port: int, count: int) -> list[dict[str, object]]:
    """The flow file: ``count`` devices read every second, each answer one JSON at ``plain/<device>``."""
    broker: dict[str, object] = {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(mqtt_port)}
    broker |= {"keepalive": "60", "protocolVersion": "4"}
    nodes: list[dict[str, object]] = [{"id": "tab", "type": "tab", "label": "bench"}, broker]
    for number in range(count):
        nodes += _device(number, first_port + number)
    return nodes


def _device(number: int, port: int) -> list[dict[str, object]]:
    names = json.dumps([name.replace("-", "_") for name, _ in METER_POINTS])
    client = {"clienttype": "tcp", "tcpHost": "127.0.0.1", "tcpPort": str(port), "tcpType": "DEFAULT", "unit_id": 1}
    client |= {"bufferCommands": True, "commandDelay": 1, "clientTimeout": 1000, "reconnectOnTimeout": True}
    client |= {"reconnectTimeout": 2000, "parallelUnitIdsAllowed": True}
    reader = {"dataType": "HoldingRegister", "adr": "0", "quantity": str(2 * len(METER_POINTS)), "rate": "1"}
    reader |= {"rateUnit": "s", "unitid": "1", "server": f"client{number}"}
    return [
        {"id": f"client{number}", "type": "modbus-client", **client},
        {"id": f"read{number}", "type": "modbus-read", "z": "tab", **reader, "wires": [[f"decode{number}"], []]},
        {
            "id": f"decode{number}",
            "type": "function",
            "z": "tab",
            "func": _DECODE % names,
            "outputs": 1,
            "wires": [[f"out{number}"]],
        },
        {
            "id": f"out{number}",
            "type": "mqtt out",
            "z": "tab",
            "topic": f"plain/{device_name(number)}",
            "qos": "0",
            "retain": "false",
            "broker": "broker",
            "wires": [],
        },
    ]


NODE_RED = Contestant("Node-RED + contrib-modbus", _start, read_plain, ("plain/#",), _WARM_S)
