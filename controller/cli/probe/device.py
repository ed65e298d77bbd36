"""A BACnet device and its objects as lines for people and as facts for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from drivers.bacnet.browse import About, SeenObject
from drivers.bacnet.listing import unit_named
from drivers.bacnet.units import unit_name

BY_HAND = 8
"""The priority of a hand at the building's own controls, which is never overwritten."""
HEADER = f"  {'object':<18} {'name':<24} {'value':<12} priorities, flags"
_FLAGS = ("in_alarm", "fault", "overridden", "out_of_service")


@dataclass(slots=True)
class BacnetDevice:
    """A device that answered; ``complete`` once all of its objects were read."""

    address: str
    about: About
    listed: int | None = None
    objects: list[SeenObject] = field(default_factory=list)
    trouble: str = ""

    @property
    def complete(self) -> bool:
        """Whether every object that it lists was read."""
        return self.listed == len(self.objects)

    def head(self) -> Iterator[str]:
        """Who and where it is."""
        about = self.about
        yield f"device {about.instance} at {self.address}  {about.name}".rstrip()
        said = ", ".join(filter(None, (about.vendor, about.model, about.firmware)))
        where = ", ".join(filter(None, (about.description, about.location)))
        yield from (f"  {line}" for line in (said, where) if line)

    def facts(self) -> dict[str, object]:
        """For scripts."""
        about = self.about
        words = ("instance", "name", "vendor", "model", "firmware", "description", "location")
        return {
            **{word: getattr(about, word) for word in words},
            "address": self.address,
            "listed": self.listed,
            "error": self.trouble or None,
            "objects": [object_facts(one) for one in self.objects],
        }


def object_line(one: SeenObject) -> str:
    """One object as a row below HEADER."""
    said = one.name
    if one.description and one.description != one.name:
        said = f"{one.name}: {one.description}" if one.name else one.description
    return f"  {one.key:<18} {_cut(said, 24):<24} {_cut(shown(one), 12):<12} {_notes(one)}".rstrip()


def shown(one: SeenObject) -> str:
    """The present value with its unit."""
    if one.value is None:
        return one.cause.rpartition(": ")[2] if one.cause else "-"
    if isinstance(one.value, str):
        return one.value
    return f"{one.value:.5g} {short_unit(one)}".rstrip()


def short_unit(one: SeenObject) -> str:
    """``degC``; a unit that profiles have no word for by its BACnet name."""
    if one.unit is None:
        return ""
    short = unit_named(str(one.unit))
    return unit_name(one.unit) if short is None else short


def object_facts(one: SeenObject) -> dict[str, object]:
    """For scripts; units by their BACnet names, priorities as numbers."""
    return {
        "object": one.key,
        "name": one.name,
        "description": one.description,
        "value": one.value,
        "error": one.cause or None,
        "units": None if one.unit is None else unit_name(one.unit),
        "commandable": one.commandable,
        "priorities": {str(priority): value for priority, value in one.slots or ()},
        **{flag: getattr(one.flags, flag) for flag in _FLAGS},
    }


def _notes(one: SeenObject) -> str:
    notes = []
    if one.slots is not None:
        held = [f"{at}: {value:.5g}{' by hand' * (at == BY_HAND)}" for at, value in one.slots]
        notes.append(", ".join(held) if held else "none held")
    notes += [flag.replace("_", " ") for flag in _FLAGS if getattr(one.flags, flag)]
    return "; ".join(notes)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
