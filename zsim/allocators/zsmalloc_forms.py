"""The forms zsmalloc had, as data: what each kernel changed."""

from dataclasses import dataclass, replace

from zsim.allocators import EINVAL, ENOSPC
from zsim.allocators.zsmalloc_classes import ChainRule, by_percent, by_waste
from zsim.allocators.zsmalloc_compaction import (
    Compaction,
    compact_almost_empty,
    compact_emptiest,
    compact_into_fullest,
)
from zsim.allocators.zsmalloc_groups import (
    Fullness,
    almost_empty_to_quarter,
    almost_empty_to_three_quarters,
    tenths,
)
from zsim.kernels import Kernel


@dataclass(frozen=True)
class Form:
    """What differs between kernels.

    since: the first kernel of this form.
    chain_rule, chain_pages, chain_sizes: pages per zspage: the rule, the default maximum, the maxima one may ask for.
    handle_bytes: stored in each slot beside the object.
    merging: whether classes with equal zspages are one.
    fullness: the group of a zspage. behind_fuller: it goes second on its list where the front is fuller.
    compaction: the loop, None where there is none. reclaim: whether zspages are on a reclaimable LRU.
    over_size: the errno for more than a page.
    """

    since: Kernel
    chain_rule: ChainRule
    chain_pages: int
    chain_sizes: range
    handle_bytes: int
    merging: bool
    fullness: Fullness
    behind_fuller: bool
    compaction: Compaction | None
    reclaim: bool
    over_size: int


_STAGING = Form(
    since=(3, 3),
    chain_rule=by_percent,
    chain_pages=4,
    chain_sizes=range(1, 17),
    handle_bytes=0,
    merging=False,
    fullness=almost_empty_to_quarter,
    behind_fuller=False,
    compaction=None,
    reclaim=False,
    over_size=EINVAL,
)
_V3_19 = replace(_STAGING, since=(3, 19), merging=True)
_V4_1 = replace(
    _V3_19,
    since=(4, 1),
    handle_bytes=8,
    fullness=almost_empty_to_three_quarters,
    compaction=compact_almost_empty,
)
_V4_3 = replace(_V4_1, since=(4, 3), behind_fuller=True, compaction=compact_emptiest)
_V6_2 = replace(_V4_3, since=(6, 2), reclaim=True)
_V6_3 = replace(_V6_2, since=(6, 3), chain_rule=by_waste, chain_pages=8, chain_sizes=range(4, 17))
_V6_4 = replace(_V6_3, since=(6, 4), fullness=tenths, behind_fuller=False, compaction=compact_into_fullest)
_V6_5 = replace(_V6_4, since=(6, 5), reclaim=False)
_V6_8 = replace(_V6_5, since=(6, 8), over_size=ENOSPC)

FORMS = (_STAGING, _V3_19, _V4_1, _V4_3, _V6_2, _V6_3, _V6_4, _V6_5, _V6_8)
"""Oldest first, each said as the change from the one before."""


def form_at(kernel: Kernel) -> Form:
    """The newest form not newer than `kernel`, at least the staging one."""
    return next((form for form in reversed(FORMS) if form.since <= kernel), FORMS[0])
