"""SVG elements as text: attributes by keyword, everything escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SPACE = "\N{NO-BREAK SPACE}"
"""Between the thousands of a figure, and before its unit."""


def element(
    name: str, content: Iterable[str] = (), data: Mapping[str, object] | None = None, /, **attributes: object
) -> str:
    """``<name ...>content</name>``: ``font_size`` becomes ``font-size``, ``data`` the ``data-`` attributes."""
    given = {key.replace("_", "-"): value for key, value in attributes.items()}
    given |= {f"data-{key}": value for key, value in (data or {}).items()}
    opened = " ".join([name, *(f'{key}="{escaped(_written(value))}"' for key, value in given.items())])
    inside = "".join(content)
    return f"<{opened}>{inside}</{name}>" if inside else f"<{opened}/>"


def text(x: float, y: float, words: str, **attributes: object) -> str:
    """Words whose baseline begins at (x, y)."""
    return element("text", [escaped(words)], x=x, y=y, **attributes)


def titled(words: str) -> str:
    """What a viewer shows while the pointer rests on the element around it."""
    return element("title", [escaped(words)])


def used(definition: str) -> str:
    """A definition of the document again, by its id; in the older form, which printers' tools know."""
    return f'<use xlink:href="#{definition}"/>'


def document(content: Iterable[str], width: float, height: float, **attributes: object) -> str:
    """A whole document, ``width`` by ``height`` units."""
    inside = element("svg", content, width=width, height=height, viewBox=f"0 0 {width:g} {height:g}", **attributes)
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{inside.replace('<svg ', f'<svg {spaces} ', 1)}\n"


def escaped(words: str) -> str:
    """``words`` for text and attributes; what XML cannot hold becomes the replacement character."""
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", words))


def figure(value: float) -> str:
    """A whole number as people read it: ``4 171``."""
    return f"{value:,.0f}".replace(",", SPACE)


def shortened(words: str, letters: int) -> str:
    """``words``, cut with an ellipsis where they are longer than ``letters``."""
    return words if len(words) <= letters else f"{words[: letters - 1].rstrip()}…"


def _written(value: object) -> str:
    return f"{round(value, 2):g}" if isinstance(value, float) else str(value)
