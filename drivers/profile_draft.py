"""A BACnet profile drafted from a list of objects: a text for an engineer to finish. Pure but for reading the file.

Objects with a suggested name are points; the others stand below as comments, ready to be given a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from drivers.bacnet.ede import read_ede
from drivers.bacnet.listing import ListedObject
from drivers.bacnet.naming import plain, suggested_names
from drivers.profile_check import OBJECT_TYPES
from drivers.profile_source import Problem, ProfileError

_HEAD = """\
id: {id}   # the file is called {id}.yaml
title: {title}
protocol: bacnet
source: {source}
checked: {checked}
points:
  # {count} of {all} objects were recognised by their names: compare each with the device before the first write.
  # commandable: true is a guess where the list says "settable": for a setpoint without a priority array write
  # commandable: false and restore: <the value that is written when veilleuse lets go>.
"""
_SETPOINT = re.compile(r"zone\.\d+\.setpoint")
_SAFE_C = (5.0, 30.0)


def profile_from_ede(
    path: Path, *, profile_id: str | None = None, device: int | None = None, checked: date | None = None
) -> str:
    """The draft of a profile for one device of an EDE file, as commented YAML.

    ``device`` is its instance, needed where the file lists several; ``checked`` is the file's own date when left out.
    Raises ProfileError with file, line and column of everything that is wrong.
    """
    ede = read_ede(path)
    if device is None and len(ede.devices) > 1:
        known = ", ".join(map(str, ede.devices))
        raise ProfileError([Problem(path, 1, 1, f"several devices are listed, say which one: {known}")])
    chosen = [item for item in ede.objects if device is None or item.device == device]
    if not chosen:
        raise ProfileError([Problem(path, 1, 1, f"no object of device {device} is listed")])
    return profile_draft(
        chosen,
        profile_id=profile_id or slug(re.sub(r"(?i)[ _-]*ede$", "", path.stem)),
        title=ede.project or path.stem,
        source=f"EDE file {path.name}, not compared with the device yet",
        checked=checked or datetime.fromtimestamp(path.stat().st_mtime, UTC).date(),
    )


def profile_draft(objects: Sequence[ListedObject], *, profile_id: str, title: str, source: str, checked: date) -> str:
    """The text of a profile from any list of objects, such as one read from a device."""
    names = suggested_names(objects)
    head = _HEAD.format(
        id=profile_id, title=_quoted(title), source=_quoted(source), checked=checked, count=len(names), all=len(objects)
    )
    named = sorted(names, key=lambda item: _order(names[item]))
    lines = [f"  {names[item]}: {_spec(item, names[item])}{_remark(item)}" for item in named]
    rest = [
        f"  # ?: {_spec(item, '')}{_remark(item)}"
        for item in objects
        if item not in names and item.type in OBJECT_TYPES
    ]
    if rest:
        lines += ["  # Not recognised: give a line a name of docs/profiles.md, or leave it.", *rest]
    return head + "\n".join(lines) + "\n"


def slug(text: str) -> str:
    """A text as an id: ``École Jaurès 2`` as ``ecole-jaures-2``."""
    return plain(text).replace(" ", "-") or "device"


def _order(name: str) -> tuple[str, int, str]:
    """zone.2 before zone.10."""
    kind, _, rest = name.partition(".")
    number, _, value = rest.partition(".")
    return (kind, int(number), value) if number.isdigit() else (kind, 0, rest)


def _spec(item: ListedObject, name: str) -> str:
    keys = [f'object: "{item.object}"']
    if item.unit:
        keys.append(f'unit: "{item.unit}"' if item.unit.startswith("%") else f"unit: {item.unit}")
    if _SETPOINT.fullmatch(name) and item.settable is not False:
        minimum, maximum = _limits(item)
        keys += ["writable: true", "commandable: true", f"minimum: {minimum:g}", f"maximum: {maximum:g}"]
    if name and item.cov:
        keys.append("cov: 5m")
    return "{" + ", ".join(keys) + "}"


def _limits(item: ListedObject) -> tuple[float, float]:
    """What the list allows, as far as it is a room's temperature."""
    low, high = _SAFE_C
    minimum = low if item.minimum is None else max(low, item.minimum)
    maximum = high if item.maximum is None else min(high, item.maximum)
    return (minimum, maximum) if minimum < maximum else _SAFE_C


def _remark(item: ListedObject) -> str:
    said = ": ".join(filter(None, (item.name, item.description)))
    notes = [
        note
        for note, holds in (("settable", item.settable), ("COV", item.cov), ("unit not known here", item.unit is None))
        if holds
    ]
    printable = "".join(letter if letter.isprintable() else " " for letter in said)
    return "".join((f"   # {printable}", f" ({', '.join(notes)})" if notes else "")).rstrip(" #")


def _quoted(text: str) -> str:
    """A text as a YAML scalar in double quotes, which may hold anything printable."""
    return json.dumps(text, ensure_ascii=False)
