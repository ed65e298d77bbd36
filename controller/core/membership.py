"""Whose light a group's proof is about, and what shows it: worked out once per configuration.

A group's members are its lamps and its contactors without lamps; those of nested groups belong to these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from config.site import Group, LampType, Segment

if TYPE_CHECKING:
    from controller.core.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Member:
    """One lamp or contactor; a point is empty where there is none.

    ``device`` shows ``level``, ``power`` and ``silent`` (of a node), ``feeder`` the contactor's ``feedback`` and
    ``breaker``.
    """

    key: str
    group: str
    target: str | None
    """The output that commands it; None: nothing does, and its group's level stands for it."""
    device: str
    type: LampType | None
    level: str
    power: str
    silent: str
    feeder: str
    feedback: str
    breaker: str
    stale_after: timedelta

    @property
    def has_node(self) -> bool:
        """Whether it is measured by itself."""
        return bool(self.level or self.power)


class Membership:
    """The members of every group, by what they are looked up by."""

    def __init__(self, wiring: Wiring) -> None:
        self.of_group: dict[str, tuple[Member, ...]] = {}
        self.of_target: dict[str, tuple[tuple[str, str], ...]] = {}
        """Group and key of the members that an output commands; all of a town's are looked up at dusk."""
        self.of_device: defaultdict[str, list[Member]] = defaultdict(list)
        """Those that a device shows something of."""
        self.of_point: defaultdict[str, defaultdict[str, list[Member]]] = defaultdict(lambda: defaultdict(list))
        self._wiring = wiring
        self._groups: dict[str, tuple[str, ...]] = {}
        for group in wiring.site.groups.values():
            members = tuple(self._members(group))
            if members:
                self.of_group[group.id] = members
            for member in members:
                self._enter(member)

    def groups_of(self, subject: str) -> tuple[str, ...]:
        """The groups with a member at ``subject``: a lamp, a segment, a group around them, a cabinet, a device."""
        found = self._groups.get(subject)
        if found is None:
            found = self._groups[subject] = tuple(dict.fromkeys(self._groups_at(subject)))
        return found

    def _members(self, group: Group) -> Iterator[Member]:
        site = self._wiring.site
        for lamp_id in group.lamps:
            lamp = site.lamps[lamp_id]
            feeder = None if lamp.segment is None else site.segments[lamp.segment]
            stem = f"lamp.{lamp.address}" if lamp.has_node else ""
            yield self._member(f"lamp/{lamp_id}", group.id, lamp.device, lamp.type, stem, feeder)
        for segment_id in group.segments:
            segment = site.segments[segment_id]
            yield self._member(f"segment/{segment_id}", group.id, segment.device, None, "", segment)

    def _member(
        self, key: str, group: str, device: str, kind: LampType | None, stem: str, feeder: Segment | None
    ) -> Member:
        points = self._wiring.points(device)
        names = (f"{stem}.{name}" for name in ("level", "power", "silent"))
        level, power, silent = (name if stem and name in points else "" for name in names)
        output = "" if feeder is None else f"segment.{feeder.output}"
        fed_by = device if feeder is None else feeder.device
        points = self._wiring.points(fed_by)
        contacts = (f"{output}.{name}" for name in ("feedback", "breaker"))
        feedback, breaker = (name if output and name in points else "" for name in contacts)
        shown = [(device, level), (device, power)] if stem else [(fed_by, feedback)]
        stale_s = max((self._wiring.stale_after(where, point) for where, point in shown if point), default=0.0)
        target = key if key in self._wiring.targets else None
        if target is None and not stem and feeder is not None and f"segment/{feeder.id}" in self._wiring.targets:
            target = f"segment/{feeder.id}"
        return Member(
            key,
            group,
            target,
            device,
            kind,
            level,
            power,
            silent,
            fed_by,
            feedback,
            breaker,
            timedelta(seconds=stale_s),
        )

    def _enter(self, member: Member) -> None:
        if member.target is not None:
            self.of_target[member.target] = (*self.of_target.get(member.target, ()), (member.group, member.key))
        for device, points in (
            (member.device, (member.level, member.power, member.silent)),
            (member.feeder, (member.feedback, member.breaker)),
        ):
            for point in filter(None, points):
                self.of_point[device][point].append(member)
                if member not in self.of_device[device][-1:]:
                    self.of_device[device].append(member)

    def _groups_at(self, subject: str) -> Iterator[str]:
        kind, _, identity = subject.partition("/")
        site = self._wiring.site
        if kind == "group":
            yield from self._around(identity)
        elif kind in ("lamp", "segment"):
            own = self._wiring.group_of.get(subject)
            yield from () if own is None else (own,)
            yield from self._wiring.groups_feeding.get(identity, ()) if kind == "segment" else ()
        elif kind == "cabinet" and identity in site.cabinets:
            yield from (member.group for member in self.of_device.get(site.cabinets[identity].device, ()))
        elif kind == "device":
            yield from (member.group for member in self.of_device.get(identity, ()))

    def _around(self, group_id: str) -> Iterator[str]:
        """The group and those that are nested in it, as far as they have members."""
        group = self._wiring.site.groups.get(group_id)
        if group is None:
            return
        if group_id in self.of_group:
            yield group_id
        for nested in group.groups:
            yield from self._around(nested)
