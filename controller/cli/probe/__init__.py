"""``veilleuse probe``: read-only discovery of what answers at a Modbus endpoint, on a BACnet network, in a site."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from controller.cli.probe.target import Line, Server
    from drivers.modbus.link import SerialEnd, TcpEnd
    from drivers.modbus.peek import Span

EXAMPLE = """\b
Example:
  veilleuse probe 192.168.1.20                      # Modbus TCP, units 1 to 16
  veilleuse probe /dev/ttyUSB0 --baud 9600 --parity E --units 1-32
  veilleuse probe 192.168.1.20 --units 1 --peek input:0x0..0x20
  veilleuse probe bacnet:192.168.1.10/24            # own address: who is there?
  veilleuse probe bacnet://192.168.1.50 --save ecole-jaures.yaml
  veilleuse probe ./town cab-mairie                 # is the wiring as the site says?
"""


@click.command(epilog=EXAMPLE)
@click.argument("words", nargs=-1, metavar="[SITE] TARGET")
@click.option("--units", default=None, metavar="LIST", help="Modbus units to ask, 1-16 or 1,3,10-12 (default: 1-16).")
@click.option("--baud", type=click.IntRange(300, 4_000_000), default=9600, show_default=True, help="Serial line.")
@click.option("--parity", type=click.Choice(["E", "N", "O"]), default="E", show_default=True, help="Serial line.")
@click.option("--stop", type=click.Choice(["1", "2"]), default="1", show_default=True, help="Stop bits of the line.")
@click.option("--try-speeds", is_flag=True, help="Serial line: the usual speeds and parities until somebody answers.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0.05, 10), default=0.5, show_default=True,
              help="Seconds to wait for one answer.")  # fmt: skip
@click.option("--peek", multiple=True, metavar="TABLE:FIRST..LAST",
              help="Show coil, discrete, input or holding addresses, 0-based: input:0x0..0x20.")  # fmt: skip
@click.option("--bits", is_flag=True, help="With --peek: every register bit by bit.")
@click.option("--wide", is_flag=True, help="With --peek: values of 64 bits too.")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Write what was found as site lines or a profile.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end instead of lines.")
@click.pass_context
def command(
    context: click.Context,
    words: tuple[str, ...],
    units: str | None,
    baud: int,
    parity: str,
    stop: str,
    try_speeds: bool,
    timeout_s: float,
    peek: tuple[str, ...],
    bits: bool,
    wide: bool,
    save: Path | None,
    as_json: bool,
) -> None:
    """What answers at TARGET, and who it says it is. Asks only: nothing is ever written to a device.

    TARGET is HOST[:PORT] or tcp:HOST[:PORT] (Modbus TCP), a serial line such as /dev/ttyUSB0 (Modbus RTU),
    bacnet:OWN-ADDRESS/BITS[:PORT] (who is on that network), bacnet://ADDRESS[:PORT] (one device and its objects), or
    a device or bus of SITE, or all, to compare the wiring with the site.

    Exit code 0 when somebody answers (and all is as the site says), 1 when not, 130 after Ctrl-C, which keeps what
    was found.
    """
    from controller.cli.probe.endpoint import Wish, probe_endpoint
    from controller.cli.probe.fragment import refuse_existing
    from controller.cli.probe.registers import Form
    from controller.cli.probe.target import Line, Server

    directory, text = _site_and_target(words)
    goal = _goal(text)
    refuse_existing(save)
    if isinstance(goal, Server | Line):
        end = _end(goal, baud, parity, int(stop))
        wish = Wish(text, end, _units(units, goal), timeout_s, _spans(peek), Form(bits, wide), try_speeds, save, as_json)
        sys.exit(probe_endpoint(wish, _profiles(directory)))
