"""``veilleuse probe``: read-only discovery of what answers at a Modbus endpoint, on a BACnet network, in a site."""

from __future__ import annotations

import sys
from pathlib import Path

import click

EXAMPLE = """\b
Example:
  veilleuse probe 192.168.1.20                     # Modbus TCP, units 1 to 16
  veilleuse probe /dev/ttyUSB0 --try-speeds        # which speed does the line run at?
  veilleuse probe 192.168.1.20 --units 1 --peek input:0x0..0x20
  veilleuse probe bacnet:192.168.1.10/24           # own address: who is there?
  veilleuse probe bacnet://192.168.1.50 --save ecole-jaures.yaml
  veilleuse probe ./town cab-mairie                # wired as the site says?
"""


@click.command(epilog=EXAMPLE)
@click.argument("words", nargs=-1, metavar="[SITE] TARGET")
@click.option("--units", metavar="LIST", help="Modbus units to ask: 1-247 or 1,3,10-12 (default: 1-16).")
@click.option("--baud", type=click.IntRange(300, 4_000_000), help="Of a serial line or behind --rtu (default: 9600).")
@click.option("--parity", type=click.Choice(["E", "N", "O"]), help="Of the line (default: E).")
@click.option("--stop", type=click.Choice(["1", "2"]), help="Stop bits of the line (default: 1).")
@click.option("--try-speeds", is_flag=True, help="Serial line: the usual speeds and parities until somebody answers.")
@click.option("--rtu", is_flag=True, help="HOST is a converter that passes RTU frames on as they are.")
@click.option("--ca", type=click.Path(path_type=Path), metavar="FILE", help="Modbus over TLS: who signed the server.")
@click.option("--cert", type=click.Path(path_type=Path), metavar="FILE", help="With --ca: our own certificate.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="With --cert: its key.")
@click.option("--peek", multiple=True, metavar="TABLE:FIRST..LAST", help="Show coil, discrete, input or holding ones.")
@click.option("--bits", is_flag=True, help="With --peek: every register bit by bit.")
@click.option("--wide", is_flag=True, help="With --peek: values of 64 bits too.")
@click.option("--own", metavar="ADDRESS/BITS[:PORT]", help="BACnet: our own address (default: found by itself).")
@click.option("--instances", metavar="LOW-HIGH", help="BACnet: only these device instances.")
@click.option("--objects", is_flag=True, help="BACnet: the objects of every device of the network.")
@click.option(
    "--ede", type=click.Path(path_type=Path), metavar="FILE", help="Draft a profile from an EDE file instead."
)
@click.option("--device", type=click.IntRange(0, 4_194_302), metavar="N", help="With --ede: which device of the file.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.05, 10),
    help="Seconds for an answer (0.5; BACnet 1; SITE: its own).",
)
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Write site lines or a profile to FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object in the end instead of lines.")
@click.pass_context
def command(context: click.Context, /, words: tuple[str, ...], **given: object) -> None:
    """What answers at TARGET, and who it says it is. Asks only: nothing is ever written to a device.

    TARGET is HOST[:PORT] or tcp:HOST[:PORT] (Modbus TCP), a serial line such as /dev/ttyUSB0 (Modbus RTU),
    bacnet:OWN-ADDRESS/BITS[:PORT] (who is on that network), bacnet://ADDRESS[:PORT] (one device and its objects), or
    a device or bus of SITE, or all, to compare the wiring with the site.

    Exit code 0 when somebody answers and nothing contradicts the site, 1 when not, 130 after Ctrl-C; what was found
    until then is shown and saved.
    """
    from controller.cli.probe.choice import Options, chosen

    try:
        look = chosen(words, Options(**given))  # type: ignore[arg-type]
    except ValueError as error:
        raise click.UsageError(str(error), context) from error
    sys.exit(look())
