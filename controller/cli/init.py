"""``veilleuse init``: a commented starter site."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLE = """\b
Example:
  veilleuse init ma-commune && veilleuse check ma-commune
"""


@click.command(epilog=EXAMPLE)
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--example", default="minimal", show_default=True, help="Which town to start from: minimal, armoires or valbourg."
)
def command(directory: Path, example: str) -> None:
    """Write a commented starter site into DIR, which must be new or empty.

    It passes `veilleuse check`, and `veilleuse sim DIR` answers at the addresses that it declares.
    """
    from config.starter import NotEmpty, examples, write_starter

    if example not in examples():
        raise click.BadParameter(f"{example!r}; there are {', '.join(examples())}", param_hint="--example")
    try:
        written = write_starter(directory, example)
    except NotEmpty as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{directory} cannot be written: {error.strerror or error}") from error
    for path in written:
        click.echo(str(path))
    click.echo(f"Next: veilleuse check {directory}, then veilleuse sim {directory} and veilleuse run {directory}")
