"""Which of a device's objects are probably which of the house's points, by their type, unit and words. Pure.

Names in French, English and German are read ("Consigne salle 12", "Room 12 SpT", "Raumtemperatur 12"). A suggestion is
for an engineer to confirm: what is not clear gets none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from drivers.bacnet.listing import ListedObject


class Rule(NamedTuple):
    """A point's name for an object of these types and units that has a word of ``said`` and none of ``unsaid``."""

    point: str
    types: frozenset[str]
    units: frozenset[str]
    said: re.Pattern[str]
    unsaid: re.Pattern[str]


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(patterns) + r")\b")


_SETPOINT = _words("consignes?", "csg\\w*", "cons", "set ?points?", "spt?", "stpt", "soll\\w*", "sw")
_TEMPERATURE = _words("t", "temp\\w*", "\\w*temperatur", "tamb\\w*", "amb\\w*", "rt", "ist\\w*")
_OUTDOOR = _words("ext\\w*", "out(door|side)?", "oat", "aussen\\w*", "text")
_WATER = _words(
    "depart", "retour", "vorlauf\\w*", "rucklauf\\w*", "flow", "return", "supply", "vl", "rl", "eau", "water"
)
_SUPPLY = _words("depart", "vorlauf\\w*", "flow", "supply", "vl")
_BOILER = _words("chaudieres?", "chaufferie", "boilers?", "kessel\\w*")
_HEATING = _words("vannes?", "valves?", "ventile?", "chauffage", "heat(ing)?", "heizung\\w*", "v3v", "v2v")
_FAULTS = _words("defaut", "alarmes?", "alarm", "fault", "storung", "failure")
_OTHER_PLANT = _words(
    "ecs", "dhw", "brauchwasser", "warmwasser", "soufflage", "reprise", "cta", "ahu", "zuluft", "abluft", "cooling",
    "froid", "kuhl\\w*", "limite?", "limit", "max", "min", "alarm", "defaut", "hors gel", "frost",
)  # fmt: skip
_NOTHING = re.compile(r"(?!)")


def _either(*patterns: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile("|".join(pattern.pattern for pattern in patterns))


_ANALOG_IN = frozenset({"analog-input", "analog-value"})
_ANALOG_OUT = frozenset({"analog-output", "analog-value"})
_BINARY = frozenset({"binary-input", "binary-value", "binary-output"})
_HEAT = _either(_BOILER, _words("chaleur", "heat", "warme\\w*"))
_DEGREES = frozenset({"degC", ""})
_ZONE_RULES = (
    Rule("setpoint", _ANALOG_OUT, _DEGREES, _SETPOINT, _either(_OUTDOOR, _WATER, _BOILER, _OTHER_PLANT)),
    Rule(
        "temperature", _ANALOG_IN, frozenset({"degC"}), _TEMPERATURE,
        _either(_SETPOINT, _OUTDOOR, _WATER, _BOILER, _OTHER_PLANT),
    ),
    Rule("heating", _ANALOG_OUT, frozenset({"%"}), _HEATING, _either(_SETPOINT, _BOILER, _OTHER_PLANT)),
)  # fmt: skip
_PLANT_RULES = (
    Rule("outdoor.temperature", _ANALOG_IN, frozenset({"degC"}), _OUTDOOR, _either(_SETPOINT, _OTHER_PLANT)),
    Rule("boiler.supply-temperature", _ANALOG_IN, frozenset({"degC"}), _SUPPLY, _either(_SETPOINT, _OTHER_PLANT)),
    Rule("boiler.status", _BINARY, frozenset({""}), _BOILER, _FAULTS),
    Rule("boiler.power", _ANALOG_IN, frozenset({"kW"}), _HEAT, _NOTHING),
    Rule("boiler.energy", _ANALOG_IN | {"accumulator"}, frozenset({"kWh"}), _HEAT, _NOTHING),
)
_FILLERS = _words(
    "salle",
    "zone",
    "local",
    "room",
    "raum",
    "de",
    "des",
    "du",
    "d",
    "la",
    "le",
    "l",
    "les",
    "the",
    "of",
    "der",
    "die",
    "das",
    "im",
    "in",
)


def suggested_names(objects: Sequence[ListedObject]) -> dict[ListedObject, str]:
    """Point names by object, each name once; zones are numbered in the order in which the list first mentions them."""
    names: dict[ListedObject, str] = {}
    given: set[str] = set()
    zones: dict[str, int] = {}
    for item in objects:
        name = _plant_name(item) or _zone_name(item, zones)
        if name is not None and name not in given:
            names[item] = name
            given.add(name)
    return names


def _plant_name(item: ListedObject) -> str | None:
    text = f"{plain(item.name)} {plain(item.description)}"
    return next((rule.point for rule in _PLANT_RULES if _fits(rule, item, text)), None)


def _zone_name(item: ListedObject, zones: dict[str, int]) -> str | None:
    """The zone is what remains of the name (or description) without the words that say what is measured."""
    texts = [text for text in (plain(item.name), plain(item.description)) if text]
    for rule in _ZONE_RULES:
        if not _fits(rule, item, " ".join(texts)):
            continue
        told = next((text for text in texts if rule.said.search(text)), "")
        zone = " ".join(_FILLERS.sub(" ", _TEMPERATURE.sub(" ", _HEATING.sub(" ", _SETPOINT.sub(" ", told)))).split())
        return f"zone.{zones.setdefault(zone, len(zones) + 1)}.{rule.point}"
    return None


def _fits(rule: Rule, item: ListedObject, text: str) -> bool:
    return (
        item.type in rule.types
        and item.unit in rule.units
        and rule.said.search(text) is not None
        and rule.unsaid.search(text) is None
    )


def plain(text: str) -> str:
    """Small letters without accents, words apart: ``S101_TAmb`` as ``s101 tamb``, ``RoomTemp`` as ``room temp``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("ß", "ss"))
    bare = unicodedata.normalize("NFKD", apart).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare.lower()).split())
