"""The colours. Blue dark against yellow light is told apart by every kind of colour vision; in grey the order stays."""

from __future__ import annotations

from collections.abc import Sequence

PAPER, TEXT, FAINT, RULE = "#ffffff", "#1d2330", "#667085", "#c9cfda"
NIGHT, TWILIGHT, DAY = "#0b112b", "#1b274e", "#31466f"
"""The sky behind lamps that are off; the lowest level of light is lighter than all three."""
WRONG = "#b3261e"
GRID = "#8c95a8"
SUNSET, CIVIL, CASING = "#ff5a36", "#123a8c", "#0b112b"
LANES = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#b8860b", "#2c9fd1", "#7f3c8d", "#4d4d4d")
"""One a program; its place and its letter say the same without colour."""

_LIGHT = ("#98673c", "#b98038", "#d99c3c", "#f4c667", "#fff2c2")
_HEAT = ("#c9d6e8", "#e3b592", "#cf7549", "#861c2a")


def light(level: float) -> str:
    """The shade of a lit level in %; 0 is the dark night."""
    return NIGHT if level <= 0.0 else _between(_LIGHT, level / 100.0)


def heat(share: float) -> str:
    """The shade of a setpoint, 0 the lowest of its panel and 1 the highest."""
    return _between(_HEAT, share)


def luminance(colour: str) -> float:
    """How light ``#rrggbb`` is in grey, 0 to 1 (ITU-R BT.709, of the values as they are)."""
    red, green, blue = _channels(colour)
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255.0


def _between(stops: Sequence[str], share: float) -> str:
    at = min(1.0, max(0.0, share)) * (len(stops) - 1)
    index = min(int(at), len(stops) - 2)
    pairs = zip(_channels(stops[index]), _channels(stops[index + 1]), strict=True)
    return "#" + "".join(f"{round(low + (high - low) * (at - index)):02x}" for low, high in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[index : index + 2], 16) for index in (1, 3, 5))
    return red, green, blue
