"""Numbers that ASHRAE 135 gives to its words (clause 21), as far as the simulated devices speak."""

from __future__ import annotations

from enum import IntEnum


class ObjectType(IntEnum):
    """BACnetObjectType."""

    ANALOG_INPUT = 0
    ANALOG_OUTPUT = 1
    ANALOG_VALUE = 2
    BINARY_INPUT = 3
    BINARY_OUTPUT = 4
    BINARY_VALUE = 5
    CALENDAR = 6
    DEVICE = 8
    MULTI_STATE_INPUT = 13
    MULTI_STATE_OUTPUT = 14
    SCHEDULE = 17
    MULTI_STATE_VALUE = 19

    @classmethod
    def named(cls, name: str) -> ObjectType:
        """``analog-value`` -> ANALOG_VALUE; KeyError for a type that is not simulated."""
        return cls[name.upper().replace("-", "_")]


class Property(IntEnum):
    """BACnetPropertyIdentifier; ALL, OPTIONAL and REQUIRED stand for sets in ReadPropertyMultiple."""

    ACTIVE_TEXT = 4
    ALL = 8
    APDU_TIMEOUT = 11
    APPLICATION_SOFTWARE_VERSION = 12
    COV_INCREMENT = 22
    DATE_LIST = 23
    DAYLIGHT_SAVINGS_STATUS = 24
    DEVICE_ADDRESS_BINDING = 30
    EFFECTIVE_PERIOD = 32
    EVENT_STATE = 36
    EXCEPTION_SCHEDULE = 38
    FIRMWARE_REVISION = 44
    INACTIVE_TEXT = 46
    LIST_OF_OBJECT_PROPERTY_REFERENCES = 54
    LOCAL_DATE = 56
    LOCAL_TIME = 57
    MAX_APDU_LENGTH_ACCEPTED = 62
    MAX_PRES_VALUE = 65
    MIN_PRES_VALUE = 69
    MODEL_NAME = 70
    NUMBER_OF_APDU_RETRIES = 73
    NUMBER_OF_STATES = 74
    OBJECT_IDENTIFIER = 75
    OBJECT_LIST = 76
    OBJECT_NAME = 77
    OBJECT_TYPE = 79
    OPTIONAL = 80
    OUT_OF_SERVICE = 81
    POLARITY = 84
    PRESENT_VALUE = 85
    PRIORITY_ARRAY = 87
    PRIORITY_FOR_WRITING = 88
    PROTOCOL_OBJECT_TYPES_SUPPORTED = 96
    PROTOCOL_SERVICES_SUPPORTED = 97
    PROTOCOL_VERSION = 98
    RELIABILITY = 103
    RELINQUISH_DEFAULT = 104
    REQUIRED = 105
    SEGMENTATION_SUPPORTED = 107
    STATUS_FLAGS = 111
    SYSTEM_STATUS = 112
    UNITS = 117
    UTC_OFFSET = 119
    VENDOR_IDENTIFIER = 120
    VENDOR_NAME = 121
    WEEKLY_SCHEDULE = 123
    PROTOCOL_REVISION = 139
    ACTIVE_COV_SUBSCRIPTIONS = 152
    DATABASE_REVISION = 155
    SCHEDULE_DEFAULT = 174
    PROPERTY_LIST = 371


class Confirmed(IntEnum):
    """BACnetConfirmedServiceChoice."""

    COV_NOTIFICATION = 1
    SUBSCRIBE_COV = 5
    READ_PROPERTY = 12
    READ_PROPERTY_MULTIPLE = 14
    WRITE_PROPERTY = 15


class Unconfirmed(IntEnum):
    """BACnetUnconfirmedServiceChoice."""

    I_AM = 0
    COV_NOTIFICATION = 2
    TIME_SYNCHRONIZATION = 6
    WHO_IS = 8
    UTC_TIME_SYNCHRONIZATION = 9


SERVICE_BITS = 41
"""Length of BACnetServicesSupported at protocol revision 14."""
SERVICE_BIT = {
    "subscribe-cov": 5,
    "read-property": 12,
    "read-property-multiple": 14,
    "write-property": 15,
    "time-synchronization": 32,
    "who-is": 34,
    "utc-time-synchronization": 36,
}
OBJECT_TYPE_BITS = 55
"""Length of BACnetObjectTypesSupported at protocol revision 14."""
NO_SEGMENTATION = 3
"""BACnetSegmentation: no-segmentation."""

UNITS = {
    "kilowatt-hours": 19, "kilowatts": 48, "degrees-celsius": 62, "degrees-fahrenheit": 64, "no-units": 95,
    "percent": 98,
}  # fmt: skip
"""BACnetEngineeringUnits."""


class Reliability(IntEnum):
    """BACnetReliability."""

    NO_FAULT_DETECTED = 0
    NO_SENSOR = 1
    UNRELIABLE_OTHER = 7


class ErrorClass(IntEnum):
    """BACnet error classes."""

    OBJECT = 1
    PROPERTY = 2
    RESOURCES = 3


class ErrorCode(IntEnum):
    """BACnet error codes."""

    INVALID_DATA_TYPE = 9
    NO_SPACE_TO_ADD_LIST_ELEMENT = 19
    NO_SPACE_TO_WRITE_PROPERTY = 20
    UNKNOWN_OBJECT = 31
    UNKNOWN_PROPERTY = 32
    VALUE_OUT_OF_RANGE = 37
    WRITE_ACCESS_DENIED = 40
    INVALID_ARRAY_INDEX = 42
    OPTIONAL_FUNCTIONALITY_NOT_SUPPORTED = 45
    PROPERTY_IS_NOT_AN_ARRAY = 50


class RejectReason(IntEnum):
    """BACnetRejectReason."""

    OTHER = 0
    INVALID_PARAMETER_DATA_TYPE = 3
    INVALID_TAG = 4
    MISSING_REQUIRED_PARAMETER = 5
    PARAMETER_OUT_OF_RANGE = 6
    TOO_MANY_ARGUMENTS = 7
    UNRECOGNIZED_SERVICE = 9


class AbortReason(IntEnum):
    """BACnetAbortReason."""

    OTHER = 0
    BUFFER_OVERFLOW = 1
    SEGMENTATION_NOT_SUPPORTED = 4
