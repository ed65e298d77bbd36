"""The properties of the simulated objects as encoded values (ASHRAE 135, clause 12), and which writes they take.

A table maps a property identifier to a function that gives its encoding now; a tuple of encodings is a BACnetARRAY.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

from sim.bacnet_codec import application
from sim.bacnet_values import (
    Atom,
    BitString,
    Boolean,
    CharacterString,
    Enumerated,
    Null,
    ObjectId,
    Real,
    Unsigned,
)
from sim.bacnet_words import UNITS, ErrorClass, ErrorCode, ObjectType, Property, Reliability
from sim.objects import LOWEST_PRIORITY, BacnetObject, Spoilt

Encoded = bytes | tuple[bytes, ...]
Table = Mapping[int, Callable[[], Encoded]]

MINIMUM_ON_OFF_PRIORITY = 6
"""Reserved by the standard: no client writes there."""
NORMAL = 0
BINARY = frozenset({ObjectType.BINARY_INPUT, ObjectType.BINARY_OUTPUT, ObjectType.BINARY_VALUE})
MULTI_STATE = frozenset({ObjectType.MULTI_STATE_INPUT, ObjectType.MULTI_STATE_OUTPUT, ObjectType.MULTI_STATE_VALUE})
INPUTS = frozenset({ObjectType.ANALOG_INPUT, ObjectType.BINARY_INPUT, ObjectType.MULTI_STATE_INPUT})

OPTIONAL_OF_OBJECTS = frozenset(
    {
        Property.RELIABILITY,
        Property.COV_INCREMENT,
        Property.MIN_PRES_VALUE,
        Property.MAX_PRES_VALUE,
        Property.ACTIVE_TEXT,
        Property.INACTIVE_TEXT,
    }
)
"""Everything else in an object's table is required of its type (of outputs and of commandable values)."""


class ServiceError(Exception):
    """A well-formed request that the device answers with an Error."""

    def __init__(self, error_class: ErrorClass, code: ErrorCode) -> None:
        super().__init__(f"{error_class.name}/{code.name}")
        self.error_class = error_class
        self.code = code


def property_error(code: ErrorCode) -> ServiceError:
    """An error of class property."""
    return ServiceError(ErrorClass.PROPERTY, code)


def object_id(point: BacnetObject) -> ObjectId:
    """The object's identifier."""
    return ObjectId(ObjectType.named(point.type), point.instance)


def status_flags(point: BacnetObject) -> BitString:
    """in-alarm, fault, overridden, out-of-service."""
    return BitString((False, point.fault, point.overridden, point.out_of_service))


def typed(kind: int, value: float) -> Atom:
    """A present value in the datatype of its object type: Enumerated, Unsigned or Real."""
    if kind in BINARY:
        return Enumerated(int(value != 0.0))
    if kind in MULTI_STATE:
        return Unsigned(max(1, round(value)) if math.isfinite(value) else 1)
    return Real(value)


def object_table(point: BacnetObject) -> Table:
    """The properties of one object."""
    kind = ObjectType.named(point.type)
    table: dict[int, Callable[[], Encoded]] = {
        Property.OBJECT_IDENTIFIER: partial(application, object_id(point)),
        Property.OBJECT_NAME: partial(application, CharacterString(point.name)),
        Property.OBJECT_TYPE: partial(application, Enumerated(kind)),
        Property.PRESENT_VALUE: lambda: application(typed(kind, point.shown(point.present_value()))),
        Property.STATUS_FLAGS: lambda: application(status_flags(point)),
        Property.EVENT_STATE: partial(application, Enumerated(NORMAL)),
        Property.OUT_OF_SERVICE: lambda: application(Boolean(point.out_of_service)),
        Property.RELIABILITY: lambda: application(Enumerated(_reliability(kind, point))),
    }
    if kind in BINARY:
        table |= _binary_properties(kind)
    elif kind in MULTI_STATE:
        table[Property.NUMBER_OF_STATES] = lambda: application(Unsigned(number_of_states(point)))
    else:
        table |= _analog_properties(point)
    if point.commandable:
        table[Property.PRIORITY_ARRAY] = partial(_priority_array, kind, point)
        table[Property.RELINQUISH_DEFAULT] = lambda: application(typed(kind, point.shown(point.relinquish_default)))
    return with_property_list(table)


def with_property_list(table: dict[int, Callable[[], Encoded]]) -> Table:
    """The table and its property-list, which by the standard leaves out identifier, name, type and itself."""
    left_out = (Property.OBJECT_IDENTIFIER, Property.OBJECT_NAME, Property.OBJECT_TYPE)
    names = tuple(application(Enumerated(name)) for name in table if name not in left_out)
    return {**table, Property.PROPERTY_LIST: lambda: names}


def number_of_states(point: BacnetObject) -> int:
    """How many states a multi-state object has; its ``maximum`` says it."""
    return max(1, round(point.maximum if point.maximum is not None else 1.0))


def _reliability(kind: ObjectType, point: BacnetObject) -> Reliability:
    if not point.fault:
        return Reliability.NO_FAULT_DETECTED
    return Reliability.NO_SENSOR if kind in INPUTS else Reliability.UNRELIABLE_OTHER


def _analog_properties(point: BacnetObject) -> dict[int, Callable[[], Encoded]]:
    table: dict[int, Callable[[], Encoded]] = {
        Property.UNITS: lambda: application(Enumerated(_unit(point))),
        Property.COV_INCREMENT: lambda: application(Real(point.cov_increment)),
    }
    if point.minimum is not None:
        table[Property.MIN_PRES_VALUE] = lambda: application(Real(point.shown(point.minimum or 0.0)))
    if point.maximum is not None:
        table[Property.MAX_PRES_VALUE] = lambda: application(Real(point.shown(point.maximum or 0.0)))
    return table


def _unit(point: BacnetObject) -> int:
    return UNITS["degrees-fahrenheit" if Spoilt.FAHRENHEIT in point.spoilt else point.units]


def _binary_properties(kind: ObjectType) -> dict[int, Callable[[], Encoded]]:
    table: dict[int, Callable[[], Encoded]] = {
        Property.INACTIVE_TEXT: partial(application, CharacterString("off")),
        Property.ACTIVE_TEXT: partial(application, CharacterString("on")),
    }
    if kind is not ObjectType.BINARY_VALUE:
        table[Property.POLARITY] = partial(application, Enumerated(NORMAL))
    return table


def _priority_array(kind: ObjectType, point: BacnetObject) -> tuple[bytes, ...]:
    slots = (point.slots.get(priority) for priority in range(1, LOWEST_PRIORITY + 1))
    return tuple(application(Null() if value is None else typed(kind, point.shown(value))) for value in slots)


def read_property(table: Table, name: int, index: int | None) -> bytes:
    """The encoded value of a property or of one element of it; raises ServiceError."""
    if name not in table:
        raise property_error(ErrorCode.UNKNOWN_PROPERTY)
    encoded = table[name]()
    if index is None:
        return encoded if isinstance(encoded, bytes) else b"".join(encoded)
    if isinstance(encoded, bytes):
        raise property_error(ErrorCode.PROPERTY_IS_NOT_AN_ARRAY)
    if index == 0:
        return application(Unsigned(len(encoded)))
    if index > len(encoded):
        raise property_error(ErrorCode.INVALID_ARRAY_INDEX)
    return encoded[index - 1]


def write_property(point: BacnetObject, name: int, value: Atom | None, priority: int) -> None:
    """Write one property that the object has; ``value`` None is something constructed, which none here takes.

    Raises ServiceError; then the object is unchanged.
    """
    if name == Property.PRESENT_VALUE:
        _write_present_value(point, value, priority)
    elif name == Property.RELINQUISH_DEFAULT:
        point.relinquish_default = _checked(point, value)
        point.command(LOWEST_PRIORITY, point.slots.get(LOWEST_PRIORITY))
    elif name == Property.OUT_OF_SERVICE:
        if not isinstance(value, Boolean):
            raise property_error(ErrorCode.INVALID_DATA_TYPE)
        point.out_of_service = value.value
    elif name == Property.COV_INCREMENT:
        point.cov_increment = _increment(value)
    else:
        raise property_error(ErrorCode.WRITE_ACCESS_DENIED)


def _write_present_value(point: BacnetObject, value: Atom | None, priority: int) -> None:
    locked = not point.writable or Spoilt.LOCKED in point.spoilt
    if locked or (point.commandable and priority == MINIMUM_ON_OFF_PRIORITY):
        raise property_error(ErrorCode.WRITE_ACCESS_DENIED)
    if not isinstance(value, Null):
        point.command(priority, _checked(point, value))
    elif point.commandable:
        point.command(priority, None)


def _checked(point: BacnetObject, value: Atom | None) -> float:
    kind = ObjectType.named(point.type)
    if kind in BINARY:
        if not isinstance(value, Enumerated):
            raise property_error(ErrorCode.INVALID_DATA_TYPE)
        inside = value.value in (0, 1)
    elif kind in MULTI_STATE:
        if not isinstance(value, Unsigned):
            raise property_error(ErrorCode.INVALID_DATA_TYPE)
        inside = 1 <= value.value <= number_of_states(point)
    elif isinstance(value, Real):
        inside = math.isfinite(value.value) and _within(point, point.taken(value.value))
    else:
        raise property_error(ErrorCode.INVALID_DATA_TYPE)
    if not inside:
        raise property_error(ErrorCode.VALUE_OUT_OF_RANGE)
    return point.taken(float(value.value))


def _within(point: BacnetObject, value: float) -> bool:
    above = point.minimum is None or value >= point.minimum
    return above and (point.maximum is None or value <= point.maximum)


def _increment(value: Atom | None) -> float:
    if not isinstance(value, Real):
        raise property_error(ErrorCode.INVALID_DATA_TYPE)
    if not (math.isfinite(value.value) and value.value >= 0.0):
        raise property_error(ErrorCode.VALUE_OUT_OF_RANGE)
    return value.value
