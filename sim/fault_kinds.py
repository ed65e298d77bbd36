"""Kinds of faults: the words that people write, with the arguments that they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class BadRequest(ValueError):
    """A line that cannot be obeyed; the message says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: what it concerns, its arguments as shown to people, and what it does.

    With ``choices`` the first argument is one of their first words. A later fault of the kind at the same target
    replaces the former one, unless their ``apart`` first arguments differ.
    """

    name: str
    scope: str
    arguments: str
    meaning: str
    choices: tuple[str, ...] = ()
    apart: int = 0

    @property
    def usage(self) -> str:
        """Its arguments as shown to people."""
        return "|".join(self.choices) or self.arguments


KINDS = {
    kind.name: kind
    for kind in (
        Kind("silence", "device", "", "hears and obeys, its answers are lost"),
        Kind("absent", "device", "", "is not there: hears nothing, answers nothing, others on the line do"),
        Kind("delay", "device", "SECONDS", "answers in order, each after SECONDS on the wire"),
        Kind("late", "device", "SECONDS", "answers SECONDS later while it goes on hearing: into the next request"),
        Kind("exception", "device", "CODE", "answers every request with Modbus exception CODE (BACnet: abort)"),
        Kind("garbage", "device", "", "answers noise"),
        Kind("disconnect", "device", "", "unplugged: connections are closed, new ones at once"),
        Kind("cov-lost", "device", "", "BACnet: value notifications are lost, subscriptions too, without a word"),
        Kind("cov-full", "device", "ROWS", "BACnet: room for ROWS subscriptions, more are refused"),
        Kind("clock", "device", "SECONDS", "BACnet: its clock is SECONDS fast (negative: slow) until it is set"),
        Kind("double", "device", "", "BACnet: another device has its instance, and says so"),
        Kind("hand", "object", "[OBJECT] VALUE", "a hand at priority 8 (else a plain write)", apart=-1),
        Kind("no-rpm", "device", "", "BACnet: does not know ReadPropertyMultiple"),
        Kind("max-apdu", "device", "OCTETS", "BACnet: takes and gives OCTETS at most, and sends no segments"),
        Kind("nan", "object", "[OBJECT]", "BACnet: shows no number (a zone: its temperature)", apart=1),
        Kind("fahrenheit", "object", "[OBJECT]", "BACnet: measures and is told in degrees F, and says so", apart=1),
        Kind("write-denied", "object", "[OBJECT]", "BACnet: takes no write (a zone: its setpoint)", apart=1),
        Kind("window", "zone", "", "stands open", ("open",)),
        Kind("valve", "zone", "", "stands at LEVEL % whatever its drive says", ("stuck LEVEL",)),
        Kind("sensor", "zone", "", "K more each hour; the same for ever; K more", ("drift K", "frozen", "jump K")),
        Kind("boiler", "boiler", "", "its safety has locked it out", ("fault",)),
        Kind("pump", "boiler", "", "stands: no water goes to the radiators", ("seized",)),
        Kind("door", "cabinet", "", "the door stands open"),
        Kind("leakage", "cabinet", "", "the residual current monitor has tripped"),
        Kind("phase-loss", "cabinet", "PHASE", "no voltage on PHASE", apart=1),
        Kind("supply-loss", "cabinet", "", "no mains at all, it answers from its battery; its contactors let go"),
        Kind("voltage", "cabinet", "PHASE VOLTS", "PHASE has VOLTS", apart=1),
        Kind("load", "cabinet", "PHASE WATTS", "somebody else draws WATTS from PHASE, day and night", apart=1),
        Kind("selector", "segment or cabinet", "", "a hand decides, not the command", ("auto", "on", "off")),
        Kind("stuck", "segment", "", "the contactor does not follow its coil", ("closed", "open")),
        Kind("breaker", "segment", "", "the breaker has tripped"),
        Kind("loop", "segment", "", "the cable's monitoring loop is open, the lamps still have mains"),
        Kind("cut", "segment", "LAMPS", "the cable is cut: the last LAMPS have no mains, the loop is open"),
        Kind(
            "lamp",
            "lamp",
            "",
            "open or short circuit; burns whatever is asked; gear broken at full, or dark; goes out and strikes again;"
            " LEVEL whatever is asked but 0; FACTOR times its power; power factor 0.4; overheats; node mute",
            (
                "open", "short", "day-burning", "gear", "gear-dark", "cycling", "stuck-level LEVEL", "power FACTOR",
                "low-pf", "hot", "node-silent",
            ),
        ),
        Kind("photocell", "photocell", "", "sees dark, sees light, has no value", ("dark", "bright", "silent")),
        Kind("presence", "presence sensor", "", "sees somebody; PER_HOUR passers-by", ("detect", "traffic PER_HOUR")),
    )
}  # fmt: skip
SCOPES = tuple(dict.fromkeys(kind.scope for kind in KINDS.values()))


class Limits(NamedTuple):
    """What a number may be; ``why`` is said when it is not (nothing: the usage)."""

    lowest: float = 0.0
    highest: float = float("inf")
    whole: bool = False
    why: str = ""


LIMITS = {
    "SECONDS": Limits(),
    "clock SECONDS": Limits(lowest=float("-inf")),
    "CODE": Limits(1, 255, True, "an exception code is a whole number from 1 to 255"),
    "ROWS": Limits(0, whole=True, why="the room is a whole number of subscriptions"),
    "OCTETS": Limits(128, 1476, True, "an APDU has 128 to 1476 octets"),
    "K": Limits(-60, 60, why="a sensor is wrong by -60 to 60 K"),
    "valve LEVEL": Limits(0, 100, why="a valve stands at 0 to 100 %"),
    "VALUE": Limits(lowest=float("-inf")),
    "PHASE": Limits(1, 3, True, "a phase is 1, 2 or 3"),
    "VOLTS": Limits(0, 500, why="a voltage is from 0 to 500 V"),
    "WATTS": Limits(0, 50_000, why="a load is from 0 to 50000 W"),
    "LAMPS": Limits(1, whole=True, why="a cut leaves a whole number of lamps dark"),
    "LEVEL": Limits(1, 100, why="a level is from 1 to 100 %"),
    "FACTOR": Limits(0, 10, why="a factor is from 0 to 10"),
    "PER_HOUR": Limits(0.01, 180, why="traffic is from 0.01 to 180 an hour"),
}
"""By the word that stands for the number, after the kind's where it means something else there."""


def check_arguments(kind: Kind, arguments: list[str]) -> None:
    """Raises BadRequest where a kind does not take these."""
    usage = f"usage: {kind.name} {kind.usage}".rstrip()
    expected = kind.arguments.split()
    if kind.choices:
        expected = next((words for choice in kind.choices if (words := choice.split())[:1] == arguments[:1]), [])
    least = sum(not word.startswith("[") for word in expected)
    if not least <= len(arguments) <= len(expected) or (kind.choices and not expected):
        raise BadRequest(usage)
    for word, text in zip(reversed(expected), reversed(arguments), strict=False):
        limits = LIMITS.get(f"{kind.name} {word}") or LIMITS.get(word)
        if limits is None:
            continue
        value = number(text)
        if not limits.lowest <= value <= limits.highest or (limits.whole and value != int(value)):
            raise BadRequest(limits.why or usage)


def number(text: str) -> float:
    """A finite number. Raises BadRequest."""
    try:
        value = float(text)
    except ValueError:
        raise BadRequest(f"{text!r} is not a number") from None
    if not abs(value) < 1e9:
        raise BadRequest(f"{text!r} is not a usable number")
    return value
