"""``make bench-doc``: docs/performance.md between its two marks, and its plot, from .bench/results.json."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from bench.process import ROOT
from bench.results import RESULTS
from bench.table import Table

PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
_MARKS = re.compile(r"(<!-- figures -->\n).*(<!-- end of figures -->)", re.DOTALL)


def rendered(results: Mapping[str, Any]) -> str:
    """The tables of every case, each with what it was measured on."""
    parts = []
    for entry in results.values():
        parts += [_table(table).markdown() for table in entry["tables"]]
        parts.append(_made(entry["made"]))
    return "\n\n".join(parts) + "\n"


def _table(plain: Mapping[str, Any]) -> Table:
    return Table(
        plain["case"], plain["title"], tuple(plain["head"]), tuple(map(tuple, plain["rows"])), tuple(plain["remarks"])
    )


def _made(made: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
    length = "short run (`--quick`), " if made["quick"] else ""
    return (
        f"Measured at commit `{made['commit']}`, {length}{made['at']}: {made['cores']} cores ({made['processor']}), "
        f"load {made['load']} at the end, Python {made['python']}, {versions}."
    )


def filled(page: str, figures: str) -> str:
    """``page`` with ``figures`` between its marks. Raises ValueError where they are missing."""
    found = _MARKS.search(page)
    if found is None:
        raise ValueError("docs/performance.md has lost its marks: <!-- figures --> and <!-- end of figures -->")
    return page[: found.end(1)] + "\n" + figures + "\n" + page[found.start(2) :]


def main() -> int:
    """Exit code: 0 written, 1 nothing has been measured."""
    if not RESULTS.exists():
        print("nothing measured yet: make bench", file=sys.stderr)
        return 1
    results = json.loads(RESULTS.read_text())
    PAGE.write_text(filled(PAGE.read_text(), rendered(results)))
    if "whole-job" in results:
        from bench.plot import draw  # the tests of this module have no matplotlib

        draw(results["whole-job"]["tables"], PLOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
