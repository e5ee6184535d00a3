"""Only the shrinker writes back."""

from zsim.writeback import Passive


class ShrinkerOnly(Passive):
    """Memory pressure alone writes back, by zswap's shrinker (6.8 and later); a full pool refuses.

    The shrinker itself belongs to the store, for with `zswap.shrinker_enabled` it runs beside any placement.
    """
