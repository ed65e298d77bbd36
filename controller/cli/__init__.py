"""The command line: one file a verb, imported only when its verb is called, so that --help stays fast."""

from __future__ import annotations

import importlib
import sys
import traceback

import click

from controller.cli.exits import FAULT, INTERRUPTED, USAGE, WRONG, OurFault

VERBS = {
    "calendar": "dated days of a site from what others publish",
    "check": "all errors and warnings of a site, with file:line:column",
    "demo": "a simulated town, a broker and the daemon at this desk",
    "explain": "the whole stack of reasons behind one output",
    "export": "proofs of nights, energy, readings as CSV, JSON or a printable page",
    "init": "write a commented starter site",
    "override": "command a lamp, segment or zone as an operator",
    "plan": "the timetable of what will be commanded",
    "probe": "what answers at an address, a line or a network; asks only",
    "rehearse": "the heating of some days against simulated buildings, rules checked",
    "replay": "run a recorded input file through the core",
    "run": "the daemon",
    "schema": "JSON Schema of the site files",
    "sim": "simulated devices at the addresses that a site declares",
    "status": "the running daemon's live state",
}


class LazyVerbs(click.Group):
    """A group whose verbs are modules of this package, each with a ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command = importlib.import_module(f"controller.cli.{name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - our own modules
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, VERBS[name]) for name in sorted(VERBS)])


@click.group(cls=LazyVerbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="veilleuse")
def cli() -> None:
    """Street lamps (Modbus) and heating (BACnet) of a town on plan; MQTT tells what happened and why.

    SITE is a directory with a site.yaml (default: VEILLEUSE_SITE, else /etc/veilleuse).
    Exit codes: 0 done, 1 what was asked about is wrong, 2 wrong usage, 3 a fault of ours.
    """


def main() -> None:
    """The console script."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.UsageError as wrong:
        wrong.show()
        sys.exit(USAGE)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(WRONG)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except OurFault as fault:
        click.echo(f"veilleuse: {fault}", err=True)
        sys.exit(FAULT)
    except Exception:  # noqa: BLE001 - the last supervision point: a bug is shown whole and has its own exit code
        traceback.print_exc()
        sys.exit(FAULT)
