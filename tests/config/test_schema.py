"""The schema says of a site file what check says, as far as a schema can; judged by a small draft-07 validator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from config.problems import Findings
from config.schema import site_schema
from config.source import parse_yaml
from config.starter import example_directory, examples

SCHEMA = site_schema()
KEYWORDS = {
    "$ref", "$schema", "additionalProperties", "anyOf", "const", "default", "definitions", "description", "enum",
    "examples", "exclusiveMaximum", "exclusiveMinimum", "format", "items", "maxLength", "maximum", "minItems",
    "minLength", "minimum", "oneOf", "pattern", "patternProperties", "properties", "propertyNames", "required", "type",
}  # fmt: skip
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,),
    "integer": (int,), "number": (int, float), "boolean": (bool,),
}  # fmt: skip


def faults(schema: dict[str, Any], value: object, path: str = "") -> Iterator[str]:
    """What draft-07 finds wrong, for the keywords that our schema uses."""
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{path}: not {kind}"
        return
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{path}: not one of the values"
    yield from choice_faults(schema, value, path)
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path}: pattern"
    elif isinstance(value, int | float):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high or value <= schema.get("exclusiveMinimum", value - 1):
            yield f"{path}: out of range"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(schema.get("items", {}), item, f"{path}/{index}")
    elif isinstance(value, dict):
        yield from object_faults(schema, value, path)


def choice_faults(schema: dict[str, Any], value: object, path: str) -> Iterator[str]:
    for word in ("anyOf", "oneOf"):
        if word in schema:
            hits = sum(not list(faults(choice, value, path)) for choice in schema[word])
            if hits == 0 or (word == "oneOf" and hits > 1):
                yield f"{path}: fits {hits} of {word}"


def object_faults(schema: dict[str, Any], value: dict[object, object], path: str) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path}/{name}: required"
    for key, item in value.items():
        patterns = [sub for pattern, sub in schema.get("patternProperties", {}).items() if re.search(pattern, str(key))]
        if str(key) in schema.get("properties", {}):
            yield from faults(schema["properties"][str(key)], item, f"{path}/{key}")
        elif patterns:
            yield from faults(patterns[0], item, f"{path}/{key}")
        elif schema.get("additionalProperties") is False:
            yield f"{path}/{key}: unknown"
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from faults(schema["additionalProperties"], item, f"{path}/{key}")


def judge(text: str) -> list[str]:
    return list(faults(SCHEMA, parse_yaml("site.yaml", text, Findings()).value))


def subschemas(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, list):
        for item in schema:
            yield from subschemas(item)
    elif isinstance(schema, dict):
        yield schema
        for key, item in schema.items():
            if key in {"properties", "patternProperties", "definitions"}:
                for sub in item.values():
                    yield from subschemas(sub)
            elif key not in {"default", "enum", "examples", "const", "required"}:
                yield from subschemas(item)


def test_only_words_of_draft_07() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert {key for schema in subschemas(SCHEMA) for key in schema} <= KEYWORDS


def test_every_reference_leads_somewhere() -> None:
    references = {schema["$ref"] for schema in subschemas(SCHEMA) if "$ref" in schema}
    assert references
    assert {ref.removeprefix("#/definitions/") for ref in references} <= set(SCHEMA["definitions"])


@pytest.mark.parametrize("name", examples())
def test_the_examples_fit(name: str) -> None:
    assert judge((example_directory(name) / "site.yaml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("country: FR", "contry: FR", "/site/contry: unknown"),
        ("tcp: ", "tpc: ", "/buses/armoires: fits 0 of oneOf"),
        ("driver: modbus, tcp", "driver: modbuss, tcp", "/buses/armoires: fits 0 of oneOf"),
        ("unit: 1", "unit: 300", "/devices/0/unit: out of range"),
        ("unit: 1", "units: 1", "/devices/0/units: unknown"),
        ("power: 42", "powr: 42", "/lamp_types/led-42/power: required"),
        ("start: 100", "start: 101", "/programs/rue/levels/start: out of range"),
        ("at_least: 15m", "at_least: 15", "/programs/rue/lit/at_least: not string"),
        ("at_least: 15m", "at_least: 15min", "/programs/rue/lit/at_least: pattern"),
        ("id: ma-commune", "id: Ma commune", "/site/id: pattern"),
        ("latitude: 48.86 ", "latitude: n48 ", "/site/latitude: not number"),
    ],
)
def test_an_editor_marks_mistakes(old: str, new: str, fault: str) -> None:
    text = (example_directory("minimal") / "site.yaml").read_text(encoding="utf-8")
    assert old in text
    assert fault in judge(text.replace(old, new, 1))
