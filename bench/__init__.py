"""The benches: the whole daemon and its parts against plain loops, in one run on this machine (docs/performance.md)."""
