"""Nothing is written to the device (memory.zswap.writeback = 0)."""

from zsim.writeback import Passive


class NoWriteback(Passive):
    """Nothing goes to the device: a full pool refuses, and refused pages stay in memory and are activated."""
