"""Kernel versions as values: what `NAME@6.1` and `--era` compare."""

from zsim.errors import UsageError

Kernel = tuple[int, int]

DEBATE_2013: Kernel = (3, 8)
"""The kernel under the patch sets argued over in early 2013; written "2013" on the command line."""


def parse_kernel(text: str) -> Kernel:
    """(major, minor) of "6.1" or "3.11"; "2013" is the patched 3.8 tree of the debate."""
    if text == "2013":
        return DEBATE_2013
    major, _, minor = text.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        raise UsageError(f"{text!r} is not a kernel version (write 3.11, 6.1, 6.12, or 2013)")
    return int(major), int(minor)


def split_version(name: str, default: str) -> tuple[str, Kernel]:
    """("zsmalloc", (6, 1)) of "zsmalloc@6.1"; a bare name takes the `default` kernel."""
    base, _, version = name.partition("@")
    return base, parse_kernel(version or default)
