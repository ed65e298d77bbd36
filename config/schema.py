"""JSON Schema (draft-07, which editors' YAML servers read) of site.yaml, the drivers' own keys included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from config.model import BusFile, DeviceFile, SiteFile
from drivers.registry import DRIVERS

DIALECT = "http://json-schema.org/draft-07/schema#"
_REF = "#/definitions/{model}"

_MAPS = {"properties", "patternProperties", "definitions"}
_SUBSCHEMAS = {"items", "additionalProperties", "propertyNames"}
_CHOICES = {"anyOf", "oneOf"}
_DROPPED = {"title", "discriminator", "prefixItems"}

Schema = dict[str, Any]


def site_schema() -> Schema:
    """The schema of site.yaml."""
    models: list[type[BaseModel]] = [SiteFile, *_driver_models()]
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    _, top = models_json_schema(modes, ref_template=_REF)
    definitions: Schema = top["$defs"]
    _open_bus(definitions)
    _open_device(definitions)
    site = definitions.pop(SiteFile.__name__)
    site["required"] = ["site"]
    site["properties"]["site"] = {"$ref": _REF.format(model="SiteHead")}
    whole = {"$schema": DIALECT, **site, "definitions": definitions}
    return _draft_07(whole)


def schema_text() -> str:
    """The schema as the file that lies beside a site."""
    return json.dumps(site_schema(), indent=2, ensure_ascii=False) + "\n"


def _driver_models() -> Iterator[type[BaseModel]]:
    for entry in DRIVERS.values():
        yield entry.bus_settings
        yield entry.device_settings


def _open_bus(definitions: Schema) -> None:
    """A bus is one of the drivers' bus models, told apart by ``driver``."""
    bus = definitions[BusFile.__name__]
    choices = [{"$ref": _REF.format(model=entry.bus_settings.__name__)} for entry in DRIVERS.values()]
    definitions[BusFile.__name__] = {"description": bus["description"], "oneOf": choices}


def _open_device(definitions: Schema) -> None:
    """A device has our keys and those of any driver: which bus it is on is for ``veilleuse check``."""
    device = definitions[DeviceFile.__name__]
    for entry in DRIVERS.values():
        for name, field in definitions[entry.device_settings.__name__]["properties"].items():
            device["properties"].setdefault(name, field)
    device["additionalProperties"] = False


def _draft_07(schema: Schema) -> Schema:
    """Without what draft-07 does not know; null is no choice for somebody who writes a file."""
    kept: Schema = {}
    for word, value in schema.items():
        if word in _MAPS:
            kept[word] = {name: _draft_07(sub) for name, sub in value.items()}
        elif word in _SUBSCHEMAS and isinstance(value, dict):
            kept[word] = _draft_07(value)
        elif word in _CHOICES:
            kept[word] = [_draft_07(choice) for choice in value if choice != {"type": "null"}]
        elif word == "description":
            kept[word] = value.replace("``", "`")
        elif word not in _DROPPED and not (word == "default" and (value is None or isinstance(value, dict | list))):
            kept[word] = value
    if len(kept.get("anyOf", ())) == 1:
        kept = {**kept.pop("anyOf")[0], **kept}
    return kept
