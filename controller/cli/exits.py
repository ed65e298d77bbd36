"""Exit codes, and the argument that every verb about a site takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DONE, WRONG, USAGE, FAULT = 0, 1, 2, 3
INTERRUPTED = 130
"""By Ctrl-C, as shells count it."""


class OurFault(Exception):
    """Something of ours failed; exit code 3."""


def site_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """``SITE``: a directory with a site.yaml."""
    return click.argument(
        "site",
        type=click.Path(path_type=Path),
        default=Path("/etc/veilleuse"),
        envvar="VEILLEUSE_SITE",
        required=False,
    )(function)
