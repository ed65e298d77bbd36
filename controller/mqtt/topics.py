"""All topic names in one place: what a site publishes and the one shape that it listens to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """The names below ``<base>/<site>``; a ``kind`` is ``lamp`` or ``zone``, an ``id`` ``l-001`` or ``school.hall``."""

    base: str
    site: str

    @property
    def root(self) -> str:
        """What every topic of this site begins with, without a slash at the end."""
        return f"{self.base}/{self.site}"

    @property
    def status(self) -> str:
        """Retained ``online`` or ``offline``, plain text; also the will."""
        return f"{self.root}/status"

    @property
    def gateway(self) -> str:
        """Retained state of the gateway itself."""
        return self.state_of("gateway")

    @property
    def event(self) -> str:
        """Every transition, not retained."""
        return f"{self.root}/event"

    @property
    def sample(self) -> str:
        """Readings for history, store and forward."""
        return f"{self.root}/sample"

    @property
    def set_filter(self) -> str:
        """Subscription to the commands of every kind and id."""
        return f"{self.root}/+/+/set"

    @property
    def signal_filter(self) -> str:
        """Subscription to the signals of the town, which may stand retained."""
        return f"{self.root}/signal/+"

    @property
    def own_filters(self) -> tuple[str, ...]:
        """Subscriptions to everything retained that belongs to single entities: their states and their alarms."""
        return (f"{self.root}/+/+/state", f"{self.root}/alarm/+/+/+")

    def state_of(self, key: str) -> str:
        """Retained state of ``kind/id``."""
        return f"{self.root}/{key}/state"

    def state(self, kind: str, id: str) -> str:  # noqa: A002 - the contract's word
        """Retained state of one entity."""
        return self.state_of(f"{kind}/{id}")

    def result(self, kind: str, id: str) -> str:  # noqa: A002
        """Outcome of each command to one entity, not retained."""
        return f"{self.root}/{kind}/{id}/result"

    def command(self, kind: str, id: str) -> str:  # noqa: A002
        """Where commands to one entity are sent, never retained."""
        return f"{self.root}/{kind}/{id}/set"

    def alarm(self, kind: str, id: str, event: str) -> str:  # noqa: A002
        """One alarm, retained while it is active; ``event`` is the TALQ name."""
        return f"{self.root}/alarm/{kind}/{id}/{event}"

    def is_alarm(self, topic: str) -> bool:
        """Whether ``topic`` is one of ours for an alarm."""
        return topic.startswith(f"{self.root}/alarm/")

    def signal(self, id: str) -> str:  # noqa: A002
        """Where the town's software publishes one signal."""
        return f"{self.root}/signal/{id}"

    def parse_signal(self, topic: str) -> str | None:
        """The id of a signal's topic of this site, None for any other topic."""
        rest = topic.removeprefix(f"{self.root}/signal/")
        return None if rest == topic or not rest or "/" in rest else rest

    def parse_set(self, topic: str) -> tuple[str, str] | None:
        """``(kind, id)`` of a command topic of this site, None for any other topic."""
        rest = topic.removeprefix(f"{self.root}/")
        parts = rest.split("/")
        if rest == topic or len(parts) != 3 or parts[2] != "set" or not (parts[0] and parts[1]):
            return None
        return parts[0], parts[1]
