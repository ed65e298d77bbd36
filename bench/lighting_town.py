"""A town of 10,000 lamps in 200 groups as site files: 500 cabinets, 20 plans with cuts, weekends and feasts."""

from __future__ import annotations

from pathlib import Path

GROUPS, PLANS, CABINETS, LAMPS_EACH = 200, 20, 500, 20
LAMPS = CABINETS * LAMPS_EACH
OUTPUTS = LAMPS + 2 * CABINETS
"""What is commanded: the lamps and two contactors a cabinet."""

_HEAD = """\
site: {id: ville, name: Ville, latitude: 48.86, longitude: 2.35, timezone: Europe/Paris, country: FR}
buses:
  armoires: {driver: modbus}
lamp_types:
  led-42: {power: 42, min_level: 10, profile: {0: 0.5, 10: 6.5, 50: 21, 100: 42}}
programs:
  fete: {lit: {from: sunset+10m, to: sunrise-10m}, levels: {start: 100, "01:00": 70}}
"""


def write_town(folder: Path) -> Path:
    """The site's directory."""
    site = folder / "ville"
    site.mkdir()
    (site / "site.yaml").write_text("".join((_HEAD, _programs(), _plans(), _devices(), _cabinets(), _groups())))
    (site / "lamps.csv").write_text("".join(_lamps()))
    return site


def _programs() -> str:
    """One dusk for all, so that everything changes at once; after it each plan goes its own way."""
    lines = []
    for plan in range(PLANS):
        late, cut, again = f"22:{plan:02}", f"00:{plan:02}", f"05:{plan:02}"
        head = "{lit: {from: sunset+10m, to: sunrise-10m, at_least: 15m}"
        lines.append(f'  p-{plan}: {head}, levels: {{start: 100, "{late}": 60, "{cut}": 0, "{again}": 60}}}}\n')
        lines.append(f'  w-{plan}: {head}, levels: {{start: 100, "23:{plan:02}": 60, "02:{plan:02}": 0}}}}\n')
    return "".join(lines)


def _plans() -> str:
    rules = '[{{on: ["12-24..12-26", "07-13..07-14"], program: fete}}, {{on: [fri, sat], program: w-{0}}}]'
    return "plans:\n" + "".join(
        f"  p-{plan}: {{default: p-{plan}, rules: {rules.format(plan)}}}\n" for plan in range(PLANS)
    )


def _devices() -> str:
    rows = (
        f'  - {{id: c-{number}, bus: armoires, address: "10.1.{number // 250}.{number % 250 + 1}:502", '
        "profile: generic-cabinet}\n"
        for number in range(CABINETS)
    )
    return "devices:\n" + "".join(rows)


def _cabinets() -> str:
    rows = (
        f"  - {{id: c-{number}, device: c-{number}, segments: "
        f"[{{id: s-{number}-1, output: 1, phase: 1}}, {{id: s-{number}-2, output: 2, phase: 2}}]}}\n"
        for number in range(CABINETS)
    )
    return "cabinets:\n" + "".join(rows)


def _groups() -> str:
    rows = (
        f"  - {{id: g-{group}, plan: p-{group % PLANS}, lamps: {{street: rue {group}}}}}\n" for group in range(GROUPS)
    )
    return "groups:\n" + "".join(rows)


def _lamps() -> list[str]:
    rows = ["id,street,cabinet,segment,address,type,latitude,longitude\n"]
    for number in range(LAMPS):
        cabinet, place = divmod(number, LAMPS_EACH)
        street = number * GROUPS // LAMPS
        segment = f"s-{cabinet}-{place % 2 + 1}"
        rows.append(f"l-{number},rue {street},c-{cabinet},{segment},{place + 1},led-42,48.86,2.35\n")
    return rows
