"""The example towns that come with the package, and a copy of one as a site to begin with."""

from __future__ import annotations

from pathlib import Path

_EXAMPLES = Path(__file__).parent / "examples"


class NotEmpty(Exception):
    """The directory holds something already; nothing was written."""


def examples() -> list[str]:
    """The names of the example towns."""
    return sorted(path.name for path in _EXAMPLES.iterdir() if (path / "site.yaml").is_file())


def example_directory(name: str) -> Path:
    """Where an example town lies; read only. Raises KeyError on an unknown name."""
    if name not in examples():
        raise KeyError(name)
    return _EXAMPLES / name


def write_starter(directory: Path, example: str = "minimal") -> list[Path]:
    """Copy an example town into an empty or new directory; the files written. Raises NotEmpty or OSError."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise NotEmpty(f"{directory} is not empty; a starter site goes into a new or empty directory")
    source = example_directory(example)
    written: list[Path] = []
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix in {".yaml", ".csv", ".json"}:
            target = directory / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            written.append(target)
    return written
