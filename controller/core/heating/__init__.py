"""Heating: from occupancy, allures, what is learnt and what is measured to setpoints and the work of the generator.

``zones`` gathers the wishes for one zone; each other module is one control function that gives a wish, or leads the
``plant``. ``heard``, ``due``, ``begin``, ``delegated``, ``rearranged`` and ``signalled`` are what a cycle calls.
"""

from controller.core.heating.delegation import mode_delegated
from controller.core.heating.hooks import (
    begin,
    commanded,
    delegated,
    due,
    heard,
    rearranged,
    settle,
    signalled,
    unheard,
)
from controller.core.heating.plant import plant_array
from controller.core.heating.sensing import temperature
from controller.core.heating.warmup import preheat_cap, preheat_from
from controller.core.heating.zones import ready_at, zone_array, zone_due

__all__ = [
    "begin",
    "commanded",
    "delegated",
    "due",
    "heard",
    "mode_delegated",
    "plant_array",
    "preheat_cap",
    "preheat_from",
    "ready_at",
    "rearranged",
    "settle",
    "signalled",
    "temperature",
    "unheard",
    "zone_array",
    "zone_due",
]
