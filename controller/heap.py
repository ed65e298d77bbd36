"""Python's search for reference cycles, set for a process that lives for years and makes few of them.

Nearly everything here is freed by its reference count at once. With Python's own settings the search walks all that
lives each time that some thousand new readings replaced the last ones: at 3,000 devices a third of the daemon's CPU,
in pauses of 0.3 s.
"""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 50
"""How many more objects than before start a search, and how many searches of one age the next older one."""


def settle_heap() -> None:
    """Set aside what lives now, the site and the code, which no later search looks at; rarely search the rest.

    Call it again when what was set aside is replaced: what nobody holds of it then is found.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
