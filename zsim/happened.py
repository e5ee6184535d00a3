"""What happened, in sentences: runs that ran out of memory, that had no real swap, whose zram was full."""

from textwrap import wrap

from zsim.devices import DEVICES
from zsim.results import Result
from zsim.tabletext import ns, number
from zsim.units import format_ns

COLUMNS = 100


def happened(result: Result) -> list[str]:
    """Lines to read before any figure; none where memory, store and devices did what they are for."""
    told = (_out_of_memory, _failing_device, _refused_and_kept, _no_slots, _failed_writes)
    return [line for tell in told for line in wrap(tell(result), COLUMNS)]


def _out_of_memory(result: Result) -> str:
    if result.outcome != "oom":
        return ""
    done, of = number(result, "accesses"), result.trace["accesses"]
    return (
        f"OUT OF MEMORY after {done:,.0f} of {of:,} accesses ({done / of:.1%}), at {ns(result, 'runtime_ns')}: nothing "
        "was left to reclaim, and Linux would have killed a task. What follows is up to then."
    )


def _failing_device(result: Result) -> str:
    """The fake swap device of 2013: writes give slots and free nothing."""
    failed, back = number(result, "write_errors"), number(result, "written_back_pages")
    if not failed or not DEVICES.load(result.config["swap"]["device"]).fails:
        return ""
    each = failed / result.trace["footprint_pages"]
    moved = f" {back:,.0f} of them had been compressed: writing back only put them into memory again." if back else ""
    return (
        f"NO REAL SWAP: {failed:,.0f} page writes failed ({each:.3g} for each page of the trace), and their pages "
        f"stayed in memory, dirty.{moved} {_compression(result)}"
    )


def _compression(result: Result) -> str:
    """Its time; no share where memory ran out, for the fault that it ran out in does not count in the runtime."""
    spent_ns, runtime_ns = number(result, "compress_ns") + number(result, "decompress_ns"), number(result, "runtime_ns")
    if not spent_ns or not runtime_ns:
        return ""
    share = f", {spent_ns / runtime_ns:.1%} of the runtime" if result.outcome == "done" else ""
    return f"Compression took {format_ns(spent_ns)} of processor time{share}."


def _refused_and_kept(result: Result) -> str:
    """memory.zswap.writeback = 0."""
    refused = number(result, "rejected_stores")
    if result.config["writeback"] != "none" or result.config["store"] not in ("zswap", "zcache1", "zcache2"):
        return ""
    if not refused:
        return "NO WRITEBACK: the store took every page it was offered, and nothing went to the device."
    return (
        f"NO WRITEBACK: nothing went to the device. The store refused a page {refused:,.0f} times; it stayed in "
        "memory, was activated, and something else had to go."
    )


def _no_slots(result: Result) -> str:
    if result.config["store"] == "zram" or result.config["swap"]["size"] != "none":
        return ""
    return "NO SWAP SPACE: anonymous pages had no slot to go to and stayed in memory."


def _failed_writes(result: Result) -> str:
    failed = number(result, "failed_writes")
    if not failed:
        return ""
    limit = result.config["zram"]["mem_limit"]
    why = "no page frame was to be had" if limit == "none" else f"it had no page frame, or was at mem_limit {limit}"
    return (
        f"ZRAM WAS FULL: it failed {failed:,.0f} writes, for {why}; the pages stayed in memory, dirty, and were tried "
        "again."
    )
