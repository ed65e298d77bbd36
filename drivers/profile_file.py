"""From a profile file to a Profile: each line checked, numbered points expanded, all errors at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from drivers.profile import BacnetPoint, ModbusLimits, ModbusPoint, Profile, Written
from drivers.profile_check import PointFault, bacnet_faults, modbus_faults, point_faults
from drivers.profile_source import Document, Problem, ProfileError, Where, read_document
from drivers.profile_spec import BacnetSpec, HeadSpec, LimitsSpec, ModbusSpec, PointSpec, WriteSpec

__all__ = ["Problem", "ProfileError", "load_profile", "load_profiles", "profile_paths", "shipped_profiles"]

_SHIPPED = Path(__file__).parent / "profiles"
_SPECS: Mapping[str, type[PointSpec]] = {"modbus": ModbusSpec, "bacnet": BacnetSpec}
_WORDING = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "date_type": "must be a date, e.g. 2026-11-21",
    "string_pattern_mismatch": "must be small letters, digits and single hyphens",
}


def shipped_profiles() -> Mapping[str, Path]:
    """The profiles that come with the package, by id."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.yaml"))}


def profile_paths(directory: Path | None) -> Mapping[str, Path]:
    """The shipped profiles and those of ``directory``, by id; the site's own wins over a shipped one."""
    own = {} if directory is None else {path.stem: path for path in sorted(directory.glob("*.yaml"))}
    return {**shipped_profiles(), **own}


def load_profiles(directory: Path | None = None) -> dict[str, Profile]:
    """Every profile of ``profile_paths``. Raises ProfileError with the problems of all files."""
    profiles: dict[str, Profile] = {}
    problems: list[Problem] = []
    for name, path in profile_paths(directory).items():
        try:
            profiles[name] = load_profile(path)
        except ProfileError as error:
            problems.extend(error.problems)
    if problems:
        raise ProfileError(problems)
    return profiles


def load_profile(path: Path) -> Profile:
    """Read and expand one profile file. Raises ProfileError with everything that is wrong in it."""
    document = read_document(path)
    head = _head(document)
    points = _points(document) if isinstance(document.value, dict) else {}
    if head is not None and head.id != path.stem:
        document.report(("id",), f"the id must be the file's name, {path.stem!r}")
    if head is None or document.problems:
        raise ProfileError(document.problems)
    limits = ModbusLimits() if head.modbus is None else ModbusLimits(**head.modbus.model_dump())
    return Profile(head.id, head.title, head.protocol, head.source, head.checked, points, limits)


def _head(document: Document) -> HeadSpec | None:
    if document.value is None and document.problems:
        return None
    if not isinstance(document.value, dict):
        document.report((), "a profile is a mapping: id, title, protocol, source, checked, points")
        return None
    head = _validated(document, (), HeadSpec, document.value)
    if isinstance(head, HeadSpec) and head.modbus is not None and head.protocol != "modbus":
        document.report(("modbus",), f"'modbus' has no meaning in a {head.protocol} profile", at_key=True)
    return head if isinstance(head, HeadSpec) else None


def _points(document: Document) -> dict[str, ModbusPoint | BacnetPoint]:
    content = document.value if isinstance(document.value, dict) else {}
    model, lines = _SPECS.get(str(content.get("protocol"))), content.get("points")
    if model is None or not isinstance(lines, dict):
        return {}
    specs = _specs(document, model, lines)
    points: dict[str, ModbusPoint | BacnetPoint] = {}
    lines_of: dict[str, str] = {}
    for line, spec in specs.items():
        for point in _expand(line, spec):
            if point.name in points:
                message = f"point {point.name!r} stands in {lines_of[point.name]!r} already"
                document.report(("points", line), message, at_key=True)
            else:
                points[point.name], lines_of[point.name] = point, line
    faults = [
        *_feedback_faults(points, [line for line in lines if line not in specs]),
        *modbus_faults(points.values(), _limits(content)),
        *bacnet_faults(points.values()),
    ]
    _report_once(document, faults, lines_of)
    return points


def _specs(document: Document, model: type[PointSpec], lines: Mapping[str, object]) -> dict[str, PointSpec]:
    """The lines that can be expanded; whatever else is wrong with them is reported as well."""
    specs: dict[str, PointSpec] = {}
    for line, raw in lines.items():
        spec = _validated(document, ("points", line), model, raw)
        if isinstance(spec, PointSpec):
            specs[line] = spec
            for fault, key in point_faults(line, spec):
                document.report(("points", line, key) if key else ("points", line), fault, at_key=not key)
    return specs


def _limits(content: Mapping[str, object]) -> ModbusLimits:
    """The limits as far as they are valid: what is wrong with them has been reported with the head."""
    try:
        return ModbusLimits(**LimitsSpec.model_validate(content.get("modbus") or {}).model_dump())
    except ValidationError:
        return ModbusLimits()


def _expand(line: str, spec: PointSpec) -> Iterator[ModbusPoint | BacnetPoint]:
    first, last = spec.n or (0, 0)
    for n in range(first, last + 1):
        name = line.replace("{n}", str(n))
        feedback = spec.feedback and spec.feedback.replace("{n}", str(n))
        if isinstance(spec, ModbusSpec):
            yield _modbus_point(spec, name, n - first, feedback)
        elif isinstance(spec, BacnetSpec):
            yield _bacnet_point(spec, name, spec.object.replace("{n}", str(n)), feedback)


def _modbus_point(spec: ModbusSpec, name: str, place: int, feedback: str | None) -> ModbusPoint:
    point = ModbusPoint(
        name, spec.table, spec.address + place * spec.step, spec.type, spec.unit, spec.scale, spec.offset,
        spec.word_order, spec.bit, spec.sentinels, spec.minimum, spec.maximum, writable=spec.writable,
        feedback=feedback, bits=spec.bits, encoding=spec.encoding, written=_written(spec.write, place),
    )  # fmt: skip
    return point if spec.every is None else replace(point, every_s=spec.every)


def _written(spec: WriteSpec | None, place: int) -> Written | None:
    if spec is None:
        return None
    target = None if spec.target is None else spec.target + place
    return Written(spec.address + place * spec.step, target, spec.pause, spec.settle)


def _bacnet_point(spec: BacnetSpec, name: str, address: str, feedback: str | None) -> BacnetPoint:
    point = BacnetPoint(
        name, address, spec.property, spec.unit, writable=spec.writable, commandable=spec.commandable,
        restore=spec.restore, minimum=spec.minimum, maximum=spec.maximum, feedback=feedback,
        cov_s=spec.cov, unit_override=spec.unit_override,
    )  # fmt: skip
    return point if spec.every is None else replace(point, every_s=spec.every)


def _feedback_faults(points: Mapping[str, ModbusPoint | BacnetPoint], broken: Iterable[str]) -> Iterator[PointFault]:
    """Feedback that is no point. A line that is itself broken may hold it: then nothing is said twice."""
    maybe = [re.compile(re.escape(line).replace(r"\{n\}", r"\d+")) for line in broken]
    for name, point in points.items():
        feedback = point.feedback
        if feedback == name:
            yield PointFault(name, "feedback", f"{name!r} cannot be its own feedback")
        elif feedback and feedback not in points and not any(m.fullmatch(feedback) for m in maybe):
            message = f"feedback {feedback!r} is no point of this profile{_meant(feedback, points)}"
            yield PointFault(name, "feedback", message)


def _report_once(document: Document, faults: Iterable[PointFault], lines_of: Mapping[str, str]) -> None:
    """One report a line and key of the file, not one a number."""
    first: dict[tuple[str, str], str] = {}
    for name, key, message in faults:
        first.setdefault((lines_of[name], key), message)
    for (line, key), message in first.items():
        document.report(("points", line, key), message)


def _validated(document: Document, where: Where, model: type[BaseModel], raw: object) -> BaseModel | None:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors():
            _report(document, (*where, *detail["loc"]), detail, model)
        return None


def _report(document: Document, where: Where, detail: ErrorDetails, model: type[BaseModel]) -> None:
    key, kind = where[-1] if where else "", detail["type"]
    if kind == "extra_forbidden":
        allowed = _allowed(where, model)
        message = f"unknown key {key!r}{_meant(str(key), allowed)}; allowed are {', '.join(allowed)}"
        document.report(where, message, at_key=True)
    elif kind == "missing":
        document.report(where[:-1], f"{key!r} is missing", at_key=True)
    else:
        document.report(where, f"{key}: {_worded(detail)}")


def _allowed(where: Where, model: type[BaseModel]) -> Mapping[str, object]:
    """The keys that may stand where one is unknown: those of the model, or of a mapping within it."""
    if where[:-1] == ("modbus",):
        return LimitsSpec.model_fields
    if len(where) == 4 and where[2] == "write":
        return WriteSpec.model_fields
    return model.model_fields


def _worded(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind in {"enum", "literal_error"}:
        expected = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return f"{detail['input']!r} is not one of {', '.join(expected)}{_meant(str(detail['input']), expected)}"
    text = detail["msg"]
    return _WORDING.get(kind, text[:1].lower() + text[1:])


def _meant(text: str, candidates: Mapping[str, object] | list[str]) -> str:
    close = get_close_matches(text, list(candidates), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
