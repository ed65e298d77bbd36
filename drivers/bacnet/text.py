"""BACnet character strings as text. Pure.

Source: ASHRAE 135 clause 20.2.9: the first octet says the character set.
"""

from __future__ import annotations

from collections.abc import Sequence

from drivers.bacnet.codec import Atom, Undecodable

CHARACTER_STRING = 7
"""The application tag."""
_SETS = {0: "utf-8", 3: "utf-32-be", 4: "utf-16-be", 5: "latin-1"}
_CODE_PAGE = 1
"""Microsoft's DBCS: two octets of code page follow."""
_CODE_PAGES = {850: "cp850", 852: "cp852", 932: "cp932", 936: "gbk", 1250: "cp1250", 1252: "cp1252"}


def character_string(atoms: Sequence[Atom]) -> str:
    """The one string in ``atoms``; what its own character set cannot read becomes a replacement mark.

    Old devices send Latin 1 and call it ANSI: text that is not UTF-8 is read so. Raises Undecodable.
    """
    if len(atoms) != 1 or atoms[0].tag != CHARACTER_STRING or not atoms[0].octets:
        raise Undecodable("no character string")
    charset, octets = atoms[0].octets[0], atoms[0].octets[1:]
    if charset == _CODE_PAGE:
        name = _CODE_PAGES.get(int.from_bytes(octets[:2]), "latin-1")
        return _clean(octets[2:].decode(name, "replace"))
    if charset == 0:
        try:
            return _clean(octets.decode("utf-8"))
        except UnicodeDecodeError:
            return _clean(octets.decode("latin-1"))
    if charset not in _SETS:
        raise Undecodable(f"character set {charset} is not known")
    return _clean(octets.decode(_SETS[charset], "replace"))


def _clean(text: str) -> str:
    return text.rstrip("\x00").strip()
