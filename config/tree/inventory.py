"""What hangs where: lamp types, cabinets with their segments, and the lamps of lamps.csv."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from config.lighting import CabinetFile, LampRow, LampTypeFile, SegmentFile
from config.model import LAMPS_CSV
from config.site import Cabinet, Curve, Lamp, LampType, Pattern, Segment, Upkeep
from config.tables import Row, parse_table
from config.tree.devices import Wired
from config.tree.draft import Draft
from config.wording import row_findings

REQUIRED = ("id", "street", "cabinet", "segment", "address", "type", "latitude", "longitude")
OPTIONAL = ("device", "phase", "burning_h", "cleaned")


@dataclass(slots=True)
class Inventory:
    """Lamps, segments and cabinets by id, in the order of the files."""

    types: dict[str, LampType] = field(default_factory=dict)
    cabinets: dict[str, Cabinet] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    lamps: dict[str, Lamp] = field(default_factory=dict)

    def used(self, device: str) -> dict[str, set[int]]:
        """The numbers of the lamps and segments at a device."""
        return {
            "lamp": {lamp.address for lamp in self.lamps.values() if lamp.device == device and lamp.address},
            "segment": {segment.output for segment in self.segments.values() if segment.device == device},
        }


def build_inventory(draft: Draft, devices: Mapping[str, Wired]) -> Inventory:
    """Everything of the lighting that has a place."""
    inventory = Inventory(types=_lamp_types(draft))
    for cabinet in draft.written.cabinets:
        _add_cabinet(draft, devices, inventory, cabinet)
    rows = _lamp_rows(draft)
    draft.declare("lamp", {row.cells["id"] for row in rows if "id" in row.cells})
    draft.declare("street", {row.cells["street"] for row in rows if "street" in row.cells})
    for row in rows:
        _add_lamp(draft, devices, inventory, row)
    _patterns_feed_no_nodes(draft, inventory)
    return inventory


def _patterns_feed_no_nodes(draft: Draft, inventory: Inventory) -> None:
    """A contactor is switched by level or its lamps are dimmed: both at once would cut lamps that shall be dimmed."""
    with_nodes = {lamp.segment: lamp.id for lamp in inventory.lamps.values() if lamp.has_node and lamp.segment}
    for cabinet in draft.written.cabinets:
        for level, words in cabinet.patterns.items():
            for word in (each for each in words if each in with_nodes):
                message = f'segment "{word}" feeds lamp "{with_nodes[word]}", which has a node and is dimmed by itself'
                draft.error(cabinet.where("patterns", level), message)


def _lamp_types(draft: Draft) -> dict[str, LampType]:
    return {name: _lamp_type(name, kind) for name, kind in draft.written.lamp_types.items()}


def _lamp_type(name: str, kind: LampTypeFile) -> LampType:
    upkeep = kind.maintenance
    return LampType(
        name, kind.power, kind.standby, kind.min_level, _curve(kind.profile), kind.tolerance, kind.tolerance_w,
        kind.power_gradient, kind.virtual_output, _curve(kind.clo), kind.clo_by == "gear",
        Upkeep(upkeep.factor, upkeep.every) if upkeep else None, _curve(kind.power_factor),
        _seconds(kind.warm_up), _seconds(kind.cool_down),
    )  # fmt: skip


def _curve(points: Mapping[int, float]) -> Curve:
    return tuple((float(x), y) for x, y in sorted(points.items()))


def _seconds(span: timedelta | None) -> float:
    return span.total_seconds() if span is not None else 0.0


def _add_cabinet(draft: Draft, devices: Mapping[str, Wired], inventory: Inventory, cabinet: CabinetFile) -> None:
    label = draft.document.label(cabinet.where("id"))
    if not draft.unique("cabinet", cabinet.id, draft.spot(cabinet.where("id")), label):
        return
    device = draft.find("device", cabinet.device, devices, cabinet.where("device"))
    own = [segment for segment in cabinet.segments if _segment_fits(draft, device, cabinet, segment)]
    names = tuple(segment.id for segment in own)
    inventory.cabinets[cabinet.id] = Cabinet(
        cabinet.id, cabinet.device, cabinet.name or "", names, _seconds(cabinet.stagger), _patterns(draft, cabinet)
    )
    for segment in own:
        inventory.segments[segment.id] = Segment(
            segment.id, cabinet.id, cabinet.device, segment.output, segment.phase,
            _seconds(segment.min_on), _seconds(segment.min_off),
        )  # fmt: skip


def _patterns(draft: Draft, cabinet: CabinetFile) -> tuple[Pattern, ...]:
    """The relay patterns, rising by level; a pattern names contactors of its own cabinet."""
    own = {segment.id: segment for segment in cabinet.segments}
    found = []
    for level, words in sorted(cabinet.patterns.items()):
        where = cabinet.where("patterns", level)
        is_list = isinstance(draft.document.at(where), list)
        for index, word in enumerate(words):
            known = draft.find("segment", word, own, (*where, index) if is_list else where)
            if known is None and word in draft.declared("segment"):
                draft.error(where, f'segment "{word}" belongs to another cabinet')
        found.append(Pattern(float(level), words))
    return tuple(found)


def _segment_fits(draft: Draft, device: Wired | None, cabinet: CabinetFile, segment: SegmentFile) -> bool:
    spot = draft.spot(segment.where("id"))
    if not draft.unique("segment", segment.id, spot, draft.document.label(segment.where("id"))):
        return False
    where = segment.where("output")
    label = draft.document.label(where)
    draft.unique(f"device {cabinet.device} output", str(segment.output), draft.spot(where), label)
    if device and not device.has(f"segment.{segment.output}.command"):
        numbers = device.numbers("segment", "command")
        draft.error(where, f"profile {device.profile.id} has {_range('output', numbers)}, not {segment.output}")
    return True


def _range(word: str, numbers: list[int]) -> str:
    return f"{word}s {min(numbers)} to {max(numbers)}" if numbers else f"no {word}s"


def _lamp_rows(draft: Draft) -> list[Row]:
    """The lines of the inventory; the default file is only read where there is one."""
    path, where = draft.written.lamps, draft.written.where("lamps")
    if path is None and not draft.files.exists(Path(LAMPS_CSV)):
        return []
    path = path or Path(LAMPS_CSV)
    text = draft.files.text(path, draft.spot(where), "lamps")
    return [] if text is None else parse_table(draft.files.name(path), text, REQUIRED, OPTIONAL, draft.findings)


def _add_lamp(draft: Draft, devices: Mapping[str, Wired], inventory: Inventory, row: Row) -> None:
    try:
        written = LampRow.model_validate(row.cells)
    except ValidationError as error:
        spots = {name: row.spot(name) for name in row.columns}
        row_findings(error, spots, row.spot(), draft.findings)
        return
    if not draft.unique("lamp", written.id, row.spot("id"), "id"):
        return
    lamp = _lamp(draft, inventory, written, row)
    device = devices.get(lamp.device) if lamp else None
    if lamp and not lamp.has_node:
        inventory.lamps[lamp.id], draft.rows[lamp.id] = lamp, row
    elif lamp and device and not device.has(f"lamp.{lamp.address}.command"):
        has = _range("lamp", device.numbers("lamp", "command"))
        message = f"address: profile {device.profile.id} has {has}, not {lamp.address}"
        draft.findings.error(row.spot("address"), message)
    elif lamp and draft.unique(f"device {lamp.device} lamp", str(lamp.address), row.spot("address"), "address"):
        inventory.lamps[lamp.id], draft.rows[lamp.id] = lamp, row


def _lamp(draft: Draft, inventory: Inventory, written: LampRow, row: Row) -> Lamp | None:
    """The lamp with its references resolved; None where one of them is wrong."""
    kind = draft.find_at("lamp type", written.type, inventory.types, row.spot("type"), "type")
    cabinet = segment = None
    if written.cabinet:
        cabinet = draft.find_at("cabinet", written.cabinet, inventory.cabinets, row.spot("cabinet"), "cabinet")
    if written.segment:
        segment = draft.find_at("segment", written.segment, inventory.segments, row.spot("segment"), "segment")
    if segment and cabinet and segment.cabinet != cabinet.id:
        message = f'segment: "{segment.id}" belongs to cabinet {segment.cabinet}, not {cabinet.id}'
        draft.findings.error(row.spot("segment"), message)
        return None
    if written.cabinet and cabinet is None:
        return None
    home = cabinet or (inventory.cabinets.get(segment.cabinet) if segment else None)
    device = written.device or (home.device if home else None)
    if device is None and not written.cabinet and not written.segment:
        draft.findings.error(row.spot("cabinet"), "a lamp needs a cabinet or a device")
    if written.address is None and not written.segment:
        draft.findings.error(row.spot("segment"), "a lamp without an address needs the segment that feeds it")
        return None
    if written.address is None and written.device:
        draft.findings.error(row.spot("device"), "a lamp without an address has no device")
        return None
    if kind is None or device is None or (written.device and not _device_known(draft, written.device, row)):
        return None
    return Lamp(
        written.id, device, written.address, kind, written.street, home.id if home else None,
        written.segment, written.latitude, written.longitude, written.phase, written.burning_h, written.cleaned,
    )  # fmt: skip


def _device_known(draft: Draft, name: str, row: Row) -> bool:
    known = dict.fromkeys(draft.declared("device"), True)
    return draft.find_at("device", name, known, row.spot("device"), "device") is not None


def lamps_by(inventory: Inventory, attribute: str) -> dict[str, list[str]]:
    """Lamp ids by ``street``, ``cabinet`` or ``segment``."""
    found: dict[str, list[str]] = defaultdict(list)
    for lamp in inventory.lamps.values():
        if value := getattr(lamp, attribute):
            found[value].append(lamp.id)
    return dict(found)
