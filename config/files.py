"""The files of a site's directory: each is read once, and together they give the configuration's hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from config.problems import Findings, Spot

SITE_YAML = "site.yaml"
_HASH_DIGITS = 12


@dataclass(slots=True)
class SiteFiles:
    """Reads below ``directory``; what cannot be read is an error at the place that names the file."""

    directory: Path
    findings: Findings
    _contents: dict[str, bytes] = field(default_factory=dict)

    def name(self, path: Path) -> str:
        """The file as messages call it: below the site's directory, or as it was given."""
        return str(self.directory / path)

    def exists(self, path: Path) -> bool:
        """Whether there is such a file."""
        return (self.directory / path).is_file()

    def text(self, path: Path, named_at: Spot, label: str = "") -> str | None:
        """The text of a file (UTF-8, with or without a byte order mark), None when it cannot be read."""
        prefix = f"{label}: " if label else ""
        try:
            content = (self.directory / path).read_bytes()
        except OSError as error:
            self.findings.error(named_at, f"{prefix}{self.name(path)} cannot be read: {error.strerror or error}")
            return None
        self._contents[str(path)] = content
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = content[: error.start]
            line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
            hint = "; in a spreadsheet, save as «CSV UTF-8»" if path.suffix == ".csv" else ""
            self.findings.error(Spot(self.name(path), line, column), f"not UTF-8 text{hint}")
            return None

    def count(self, path: Path) -> None:
        """Let a file that somebody else parses count for the hash."""
        full = self.directory / path
        if full.is_file():
            self._contents[str(path)] = full.read_bytes()

    @property
    def hash(self) -> str:
        """12 hex digits that change when a file does; names and contents of everything read so far."""
        digest = hashlib.sha256()
        for name, content in sorted(self._contents.items()):
            digest.update(f"{Path(name).name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()[:_HASH_DIGITS]
