"""Every registered allocator, in every form, keeps the promises of the interface."""

import pytest

from tests.allocators import conformance
from zsim.allocators import ALLOCATORS, Allocator, Grow, make_allocator
from zsim.kernels import parse_kernel

VERSIONS = {
    "zbud": ("3.11", "6.12"),
    "z3fold": ("4.8", "6.1", "6.14"),
    "zsmalloc": ("2013", "4.1", "6.1", "6.3", "6.12"),
}
SPECS = [f"{name}@{version}" for name in ALLOCATORS.names() for version in VERSIONS.get(name, ("6.1",))]


def maker(spec: str) -> conformance.Make:
    """An empty pool of `spec` for a check to use."""

    def make(grow: Grow | None = None) -> Allocator:
        return make_allocator(spec, grow=grow)

    return make


@pytest.mark.parametrize("spec", SPECS)
def test_sizes(spec: str) -> None:
    """Limits and refusals."""
    conformance.check_sizes(maker(spec))


@pytest.mark.parametrize("spec", SPECS)
def test_dead_handles(spec: str) -> None:
    """A handle that is not live."""
    conformance.check_dead_handles(maker(spec))


@pytest.mark.parametrize("spec", SPECS)
def test_any_order(spec: str) -> None:
    """Any sequence of operations."""
    conformance.check_any_order(maker(spec))


@pytest.mark.parametrize("name", ALLOCATORS.names())
def test_says_what_it_is(name: str) -> None:
    """What `zsim list` shows of it: the kernels, the objects a page holds, and a docstring."""
    allocator = ALLOCATORS.load(name)
    assert allocator.kernels and allocator.pages_per_object and allocator.__doc__


@pytest.mark.parametrize("name", ALLOCATORS.names())
@pytest.mark.parametrize("kernel", ["2013", "3.11", "6.1", "6.19"])
def test_every_era_has_a_form(name: str, kernel: str) -> None:
    """The newest form not newer than the kernel; a kernel older than the allocator gets the oldest."""
    pool = ALLOCATORS.load(name).at(parse_kernel(kernel))
    assert pool.alloc(pool.max_size) > 0
    assert pool.contiguous_pages in (1, 2, 4, 8)
