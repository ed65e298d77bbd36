"""pydantic's findings in plain words, at their place in the file.

``cut_out`` is what lets one run find everything: what is wrong is noted and taken out, the rest is checked as if it
had never been there, and a key that is missing only because it was taken out is not reported a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.fields import shown
from config.problems import Findings, Spot, did_you_mean, known_words, nearest
from config.source import Document, Placed, Where

Model = TypeVar("Model", bound=BaseModel)

_ROUNDS = 50
_PLAIN = {
    "string_type": "must be text; put {value} in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "{value} is too long, at most {max_length} characters",
    "string_pattern_mismatch": "{value} must be small letters, digits and hyphens only (a-z, 0-9, -)",
    "int_type": "{value} is not a whole number",
    "int_parsing": "{value} is not a whole number",
    "int_from_float": "{value} is not a whole number",
    "float_type": "{value} is not a number",
    "float_parsing": "{value} is not a number",
    "finite_number": "{value} is not a number",
    "bool_type": "{value} is neither true nor false",
    "bool_parsing": "{value} is neither true nor false",
    "model_type": "must be a mapping (key: value)",
    "dict_type": "must be a mapping (key: value)",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "path_type": "must be the path of a file",
    "greater_than": "{value} must be more than {gt}",
    "greater_than_equal": "{value} must be at least {ge}",
    "less_than": "{value} must be less than {lt}",
    "less_than_equal": "{value} must be at most {le}",
    "too_short": "must not be empty",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What a finding is judged by: the model, keys beside it, and what is gone (taken out earlier, or misspelt)."""

    model: type[BaseModel]
    beside: Sequence[str]
    gone: set[Where]


def checked(
    document: Document, model: type[Model], findings: Findings,
    *, raw: object = None, where: Where = (), beside: Sequence[str] = (),
) -> Model | None:  # fmt: skip
    """``raw`` (default: the whole document) as ``model``, without what was wrong; None where nothing is left.

    ``where`` is the place of ``raw`` in the document, ``beside`` are keys of the same mapping read elsewhere.
    """
    value: object = document.value if raw is None else raw
    gone: set[Where] = set()
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(value)
        except ValidationError as error:
            known = _Known(model, beside, gone)
            details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
            wrong = {_report(document, known, value, where, detail, findings) for detail in details}
            gone |= wrong
            if where in wrong:
                return None
            value = _without(value, where, wrong)
    return None


def _report(
    document: Document, known: _Known, value: object, top: Where, detail: ErrorDetails, findings: Findings
) -> Where:  # fmt: skip
    """Note one finding unless it only follows from an earlier one; returns what has to go."""
    loc = tuple(part for part in detail["loc"])
    at_key = loc[-1:] == ("[key]",)
    where = _resolve(value, loc[:-1] if at_key else loc, top)
    if detail["type"] == "missing":
        if (*where, loc[-1]) not in known.gone:
            findings.error(document.spot(where), f"{_label(document, (*where, loc[-1]))}: missing")
        return where
    if detail["type"] == "extra_forbidden":
        spot = document.spot(where, at_key=True)
        allowed = [*known.beside, *allowed_keys(known.model, loc[:-1])]
        findings.error(spot, unknown_key(document.label(where), str(where[-1]), allowed))
        if meant := nearest(str(where[-1]), allowed):
            known.gone.add((*where[:-1], meant))
        return where
    message = plain(detail)
    findings.error(document.spot(where, at_key=at_key), f"{_label(document, where)}: {message}")
    return _to_cut(document, where)


def _label(document: Document, where: Where) -> str:
    return document.label(where) or "the file"


def unknown_key(label: str, key: str, allowed: Iterable[str]) -> str:
    """The message about a key that does not exist."""
    words = list(allowed)
    if key == "password" and "password_file" in words:
        return f"{label}: no secrets in this file: use password_file or VEILLEUSE_MQTT__PASSWORD"
    return f"{label}: unknown key{did_you_mean(key, words) or ';'} allowed: {known_words(words, 30)}"


def plain(detail: ErrorDetails) -> str:
    """What is wrong with a value, in plain words."""
    kind, value = detail["type"], detail.get("input")
    context: Mapping[str, Any] = detail.get("ctx") or {}
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        return not_one_of(value, str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", "))
    if kind in {"string_type", "model_type", "dict_type", "tuple_type"} and value is None:
        return "is empty"
    template = _PLAIN.get(kind)
    if template is None:
        return detail["msg"][:1].lower() + detail["msg"][1:]
    numbers = {key: f"{number:g}" for key, number in context.items() if isinstance(number, int | float)}
    return template.format(value=shown(value), **numbers)


def not_one_of(value: object, allowed: Iterable[str]) -> str:
    """The message about a word that is none of the allowed ones."""
    words = list(allowed)
    return f"{shown(value)} is not known{did_you_mean(str(value), words) or ';'} allowed: {known_words(words, 30)}"


def allowed_keys(model: type[BaseModel], loc: Iterable[int | str]) -> list[str]:
    """The keys of the model that stands at ``loc`` below ``model``, as the file writes them."""
    here: object = model
    for part in loc:
        here = _below(here, part)
    found = _model_in(here)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def row_findings(error: ValidationError, spot_of: Mapping[str, Spot], line: Spot, findings: Findings) -> None:
    """Note what is wrong with one row of a table; ``spot_of`` has the place of each cell."""
    for detail in error.errors():
        name = str(detail["loc"][0]) if detail["loc"] else ""
        missing = detail["type"] == "missing"
        findings.error(spot_of.get(name, line), f"{name}: {'missing' if missing else plain(detail)}")


def _below(annotation: object, part: int | str) -> object:
    found = _model_in(annotation)
    if found is None:
        inner = [arg for arg in get_args(annotation) if arg is not Ellipsis and arg is not type(None)]
        return inner[-1] if inner else None
    names = {field.alias or name: field.annotation for name, field in found.model_fields.items()}
    return names.get(str(part))


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    members = [arg for arg in get_args(annotation) if isinstance(arg, type) and issubclass(arg, BaseModel)]
    is_union = type(None) in get_args(annotation)
    return members[0] if members and is_union else None


def _resolve(value: object, loc: Iterable[int | str], top: Where) -> Where:
    """The place in the file that pydantic means; what it adds of its own (names of union members) is left out."""
    where, here = top, value
    for part in loc:
        if isinstance(here, Placed):
            where = here.where
        if isinstance(here, dict):
            key = next((key for key in here if key == part or str(key) == str(part)), None)
            if key is None:
                continue
            where, here = (*where, key), here[key]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            where, here = (*where, part), here[part]
    return here.where if isinstance(here, Placed) else where


def _to_cut(document: Document, where: Where) -> Where:
    """A wrong word spoils its whole list: items of a list of words are not told apart by what follows."""
    if where and isinstance(where[-1], int) and not isinstance(document.at(where), Placed):
        return where[:-1]
    return where


def _without(value: object, where: Where, wrong: set[Where]) -> object:
    if isinstance(value, Placed):
        kept = ((key, item) for key, item in value.items() if (*value.where, key) not in wrong)
        return Placed(((key, _without(item, (*value.where, key), wrong)) for key, item in kept), value.where)
    if isinstance(value, list):
        pairs = ((item, item.where if isinstance(item, Placed) else (*where, i)) for i, item in enumerate(value))
        return [_without(item, place, wrong) for item, place in pairs if place not in wrong]
    return value
