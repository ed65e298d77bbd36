"""``veilleuse run``: the daemon."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from controller.cli.clocks import clock_of, clock_options
from controller.cli.exits import WRONG, site_argument


@click.command("run", epilog="Example: veilleuse run /etc/veilleuse")
@site_argument
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="Directory of what must survive (default: VEILLEUSE_STATE, STATE_DIRECTORY, /var/lib/veilleuse).",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every cycle's inputs here, for 'veilleuse replay'.",
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
@clock_options
def command(
    site: Path,
    state: Path | None,
    record: Path | None,
    log_level: str,
    start: str | None,
    speed: float,
    anchor: float | None,
) -> None:
    """Drive SITE until SIGTERM. SIGHUP reads the site files again and keeps the old plan when they are wrong.

    On a clean stop lamps and contactors stay as they are; held BACnet slots are relinquished.
    """
    # structlog brings rich along, for coloured tracebacks, where it finds it: 6 MiB that a daemon never uses.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

    from config.load import SiteError
    from config.settings import state_directory
    from controller.app import run_daemon
    from controller.log import configure

    clock = clock_of(start, speed, anchor)
    configure(log_level)
    try:
        run_daemon(site, clock, state or state_directory(), record)
    except SiteError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(WRONG) from error
