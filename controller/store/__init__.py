"""What survives a power cut. ``Store`` is the durable memory of the daemon; SQLite is in ``database``."""

from controller.store.database import Quota
from controller.store.store import Sample, Store

__all__ = ["Quota", "Sample", "Store"]
