"""How long something took on the wall."""

from __future__ import annotations

import time
from typing import Self


class Took:
    """How long a block took on the wall."""

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
