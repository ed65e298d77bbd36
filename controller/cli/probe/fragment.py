"""What was found, as lines for a site.yaml: written once, never over another file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from controller.cli.probe.units import Unit, said
from controller.cli.targets import printable

SITE_HEAD = """\
# What `veilleuse probe {target}` found. Only questions were asked, nothing was written to a device.
# To use it: put the line below `buses:` and the lines below `devices:` under the same words of your site.yaml (a site
# without them takes this file as it is, at its end), compare each with what is wired, then run `veilleuse check`.
"""


def refuse_existing(path: Path | None) -> None:
    """Said before anything is asked: a long scan shall not end with a refusal."""
    if path is not None and path.exists():
        raise click.ClickException(f"{path} exists already: nothing is overwritten")


def save(path: Path, text: str) -> str:
    """Write ``text`` into a new file; one line about it."""
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise click.ClickException(f"{path} exists already: nothing is overwritten") from error
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from error
    return f"{path} written: its first lines say how to use it"


def modbus_fragment(target: str, bus: str, units: Sequence[Unit]) -> str:
    """``buses:`` and ``devices:`` for the units that were found; ``bus`` is the bus' settings as YAML flow pairs."""
    lines = [SITE_HEAD.format(target=printable(target)), "buses:\n", f"  probed: {{driver: modbus, {bus}}}\n"]
    known = [unit for unit in units if unit.profile is not None]
    lines.append("devices:\n" if known else "devices: []\n")
    for unit in units:
        lines += [f"{line}\n" for line in _device(unit)]
    return "".join(lines)


def _device(unit: Unit) -> Iterator[str]:
    about = printable(", ".join(filter(None, (said(unit.identity), unit.how))))
    entry = f"{{id: unit-{unit.unit}, bus: probed, unit: {unit.unit}, profile:"
    if unit.profile is None:
        yield f"  # - {entry} ?}}   # no known profile fits ({about}): docs/profiles.md says how to write one"
        return
    yield f"  - {entry} {unit.profile.id}}}   # {about}"
    for other in unit.likely[1:3]:
        yield f"  #   or profile: {other.profile.id}"
