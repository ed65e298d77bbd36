"""A small site as files, for tests of the command line: one cabinet, four lamps in two groups, one classroom."""

from __future__ import annotations

from pathlib import Path

SITE = """\
site: {{id: bourg, name: Bourg, latitude: 50.291, longitude: 2.777, timezone: Europe/Paris, country: FR}}
mqtt: {{url: "mqtt://127.0.0.1:{port}", base: towns}}
buses:
  armoires: {{driver: modbus}}
  gtb: {{driver: bacnet, address: "127.0.0.1/32:47999"}}
devices:
  - {{id: cab, bus: armoires, address: "127.0.0.1:5999", unit: 1, profile: generic-cabinet}}
  - {{id: ecole, bus: gtb, address: "127.0.0.1:47998", instance: 1201, profile: generic-heating}}
lamp_types:
  led-40: {{power: 40, min_level: 10}}
cabinets:
  - id: cab
    device: cab
    segments: [{{id: s-1, output: 1}}, {{id: s-2, output: 2}}, {{id: twin, output: 3}}]
programs:
  coupure: {{lit: {{from: sunset+10m, to: sunrise-10m}}, levels: {{"22:30": 60, "00:30": 0, "05:00": 60}}}}
  pleine: {{lit: {{from: sunset, to: sunrise}}}}
plans:
  rues: {{default: coupure, rules: [{{on: sat, program: pleine}}]}}
  place: {{default: pleine}}
groups:
  - {{id: rues, plan: rues, lamps: {{street: Rue du Port}}}}
  - {{id: place, plan: place, lamps: {{street: Place}}}}
occupancy:
  ecole: {{weekly: {{mon-fri: ["08:00-17:30"]}}}}
buildings:
  - id: ecole
    zones:
      - id: classes
        occupancy: ecole
        allures: {{comfort: 19, reduced: 16, frost: 8}}
        optimum_start: {{cap: 3h, cap_after_vacancy: 36h, minutes_per_k: 20}}
"""
LAMPS = """\
id,street,cabinet,segment,address,type,latitude,longitude
l-001,Rue du Port,cab,s-1,1,led-40,,
l-002,Rue du Port,cab,s-1,2,led-40,,
l-003,Place,cab,s-1,3,led-40,,
twin,Rue du Port,cab,s-2,4,led-40,,
"""


def write_site(directory: Path, port: int = 1) -> Path:
    """The site in ``directory``, its broker at ``port`` of the loopback (1: nobody listens)."""
    directory.mkdir(exist_ok=True)
    (directory / "site.yaml").write_text(SITE.format(port=port), encoding="utf-8")
    (directory / "lamps.csv").write_text(LAMPS, encoding="utf-8")
    return directory
