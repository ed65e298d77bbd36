"""``veilleuse schema``: what a site.yaml may say, for editors."""

from __future__ import annotations

import click

EXAMPLE = """\b
Example:
  veilleuse schema > /etc/veilleuse/site.schema.json
The first line of site.yaml then tells the editor about it:
  # yaml-language-server: $schema=./site.schema.json
"""


@click.command(epilog=EXAMPLE)
def command() -> None:
    """JSON Schema (draft-07) of site.yaml, the drivers' own keys included."""
    from config.schema import schema_text

    click.echo(schema_text(), nl=False)
