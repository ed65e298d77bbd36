"""Drafts of BACnet profiles and site lines: from a device that was read, or from an EDE file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from controller.cli.exits import DONE
from controller.cli.probe.device import BacnetDevice
from controller.cli.probe.fragment import SITE_HEAD, save
from controller.cli.targets import printable
from drivers.bacnet.addresses import station
from drivers.bacnet.naming import suggested_names
from drivers.profile_check import OBJECT_TYPES
from drivers.profile_draft import profile_draft, profile_from_ede, slug
from drivers.profile_source import ProfileError

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HEAD = """\
# A draft by `veilleuse probe`: the device was only read. To use it: put this file into the `profiles/` directory of
# your site, name it as `profile:` of the device in site.yaml, compare each line with the device, run `veilleuse check`.
"""
_COMMANDS = """\
  # To let veilleuse command a point, add to its line, once you know who else commands it:
"""
_NAMELESS = """\
  # No object's name says what it is: give this line a name of docs/profiles.md, and the others that you need.
"""


def check_profile_path(path: Path) -> None:
    """A profile is called by its file. Raises UsageError."""
    if path.suffix != ".yaml" or not _ID.fullmatch(path.stem):
        near = slug(path.stem)
        raise click.UsageError(f"a profile is called by its file, in small letters: --save {path.with_name(near)}.yaml")


def drafted(path: Path, device: BacnetDevice) -> str:
    """The text of a profile for a device that was read; what could be commanded stands in comments."""
    about = device.about
    objects = [replace(one.listed(about.instance), settable=False) for one in device.objects]
    title = ", ".join(filter(None, (about.name, about.vendor, about.model))) or f"BACnet device {about.instance}"
    source = f"read from device {about.instance} at {device.address} by veilleuse probe"
    if not device.complete:
        source += f", {len(device.objects)} of {device.listed} objects"
    text = profile_draft(
        objects,
        profile_id=path.stem,
        title=printable(title),
        source=source,
        checked=date.today(),  # noqa: DTZ011 - the date on the engineer's calendar
    )
    names = suggested_names(objects)
    if not names:
        usable = next((one for one in objects if one.type in OBJECT_TYPES), None)
        if usable is None:
            raise click.ClickException("none of its objects can stand in a profile: nothing was saved")
        text += f'{_NAMELESS}  object.1: {{object: "{usable.object}"}}   # {printable(usable.name)}\n'
    commands = list(_commands(device, {one.object: name for one, name in names.items()}))
    return _HEAD + text + (_COMMANDS + "".join(commands) if commands else "")


def _commands(device: BacnetDevice, names: dict[str, str]) -> Iterator[str]:
    """Named objects with a priority array; their limits are the device's own, else those of a setpoint."""
    for one in device.objects:
        name = names.get(one.key, "")
        if one.commandable and name.endswith((".setpoint", ".command")):
            low = 5.0 if one.minimum is None else one.minimum
            high = 30.0 if one.maximum is None or one.maximum <= low else one.maximum
            held = ", ".join(str(priority) for priority, _ in one.slots or ())
            now = f"   (now held at {held})" if held else ""
            yield (f"  #   {name}: writable: true, commandable: true, minimum: {low:g}, maximum: {high:g}{now}\n")


def bacnet_fragment(target: str, own: str, devices: Sequence[BacnetDevice]) -> str:
    """``buses:`` and ``devices:`` for the devices that were found; which profile fits is for an engineer to say."""
    lines = [SITE_HEAD.format(target=printable(target)), "buses:\n"]
    lines.append(f'  probed: {{driver: bacnet, address: "{own}"}}\n')
    lines.append("devices: []\n")
    for device in devices:
        about = device.about
        words = printable(", ".join(filter(None, (about.name, about.vendor, about.model, about.firmware))))
        entry = f'id: device-{about.instance}, bus: probed, address: "{device.address}", instance: {about.instance}'
        lines.append(f"  # - {{{entry}, profile: ?}}   # {words}\n")
    if any(not station(device.address).routed for device in devices):
        lines.append("  # A profile for one not behind a router: veilleuse probe bacnet://ADDRESS --save NAME.yaml\n")
    return "".join(lines)


def draft_from_ede(path: Path, device: int | None, target: Path | None) -> int:
    """A profile drafted from an EDE file, to the terminal or into a new file; the exit code."""
    if target is not None:
        check_profile_path(target)
    try:
        text = profile_from_ede(path, profile_id=None if target is None else target.stem, device=device)
    except ProfileError as error:
        raise click.ClickException(str(error)) from error
    if target is None:
        click.echo(text, nl=False)
    else:
        click.echo(save(target, text))
    return DONE
