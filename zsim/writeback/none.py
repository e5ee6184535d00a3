"""Nothing is written to the device (memory.zswap.writeback = 0)."""

import simpy

from zsim.config import Config
from zsim.writeback import Pool, Work


class NoWriteback:
    """Nothing goes to the device: a full pool refuses, and refused pages stay in memory and are activated."""

    def __init__(self, config: Config, pool: Pool) -> None:
        pass

    def pool_full(self) -> bool:
        """Refuse."""
        return False

    def process(self, env: simpy.Environment, work: Work) -> None:
        """Nothing runs beside."""
        return
