"""No compressed store: plain swap."""

from typing import ClassVar

import simpy

from zsim.config import Config
from zsim.contents import Contents
from zsim.stores import Mm
from zsim.writeback import Steps, Work


class NoStore:
    """Plain swap: every page goes to the device."""

    can_write_back: ClassVar[bool] = False
    pages = stored = same_filled = compressed_bytes = metadata_bytes = stored_peak = pages_peak = 0

    def __init__(self, config: Config, contents: Contents, mm: Mm) -> None:
        pass

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """Nothing runs beside."""
        return None

    def store(self, slot: int, page: int, content: int) -> bool:
        """Refuse."""
        return False

    def load(self, slot: int) -> bool:
        """Nothing is here."""
        return False

    def content_of(self, slot: int) -> int | None:
        """Nothing is here."""
        return None

    def invalidate(self, slot: int) -> None:
        """Nothing to forget."""

    def reclaim_page(self) -> bool:
        """There is no pool."""
        return False

    def validate(self) -> None:
        """Nothing to recount."""
