"""No compressed store: plain swap."""

import simpy

from zsim.config import Config
from zsim.contents import Contents
from zsim.stores import TO_DEVICE, Mm
from zsim.writeback import Steps, Work


class NoStore:
    """Plain swap: every page goes to the device."""

    keeps_copy = keeps_slot = True
    pages = stored = same_filled = compressed_bytes = metadata_bytes = stored_peak = pages_peak = 0

    def __init__(self, config: Config, contents: Contents, mm: Mm) -> None:
        pass

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """Nothing runs beside."""
        return None

    def store(self, slot: int, page: int, content: int) -> int:
        """Refuse."""
        return TO_DEVICE

    def load(self, slot: int) -> bool:
        """Nothing is here."""
        return False

    def content_of(self, slot: int) -> int | None:
        """Nothing is here."""
        return None

    def holds(self, slot: int) -> bool:
        """Nothing is here."""
        return False

    def invalidate(self, slot: int) -> None:
        """Nothing to forget."""

    def shrink(self, priority: int) -> None:
        """There is nothing to shrink."""

    def validate(self) -> None:
        """Nothing to recount."""
