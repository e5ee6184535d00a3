"""What happened, in sentences: only where something did, and with the run's own numbers."""

from dataclasses import replace

from tests.machines import make_trace
from tests.results import busy_config, busy_result, busy_trace, oom_result
from zsim.happened import happened
from zsim.results import Result
from zsim.run import replay


def told(result: Result) -> str:
    """The sentences as one text; each line fits."""
    lines = happened(result)
    assert all(len(line) <= 100 for line in lines)
    return " ".join(lines)


def test_nothing_happened() -> None:
    """A machine that did what it is for."""
    assert told(busy_result()) == ""
    assert told(busy_result(store="none")) == ""


def test_out_of_memory() -> None:
    """How far it came, and that the store had refused pages which then stayed."""
    result = oom_result()
    assert f"OUT OF MEMORY after {result.metrics['accesses']:,} of 3,120 accesses" in told(result)
    assert f"The store refused a page {result.metrics['rejected_stores']:,} times" in told(result)


def test_no_writeback_and_no_refusal() -> None:
    """The sensible mode, with room enough."""
    result = busy_result(writeback="none", memory="16M")
    assert result.outcome == "done" and result.metrics["pswpout"] == 0
    assert "the store took every page it was offered" in told(result)


def test_failing_device_of_the_debate() -> None:
    """3.11: pages written back come into memory again, and the processor works for nothing."""
    result = busy_result(swap="failing", era="3.11")
    text, metrics = told(result), result.metrics
    assert metrics["written_back_pages"] and metrics["write_errors"] <= metrics["pswpout"]  # type: ignore[operator]
    assert f"NO REAL SWAP: {metrics['write_errors']:,} page writes failed" in text
    assert f"{metrics['written_back_pages']:,} of them had been compressed" in text
    assert result.outcome == "oom" and "of processor time." in text


def test_failing_device_survived() -> None:
    """A run that came to its end knows what share of it compression was."""
    result = replace(busy_result(swap="failing", era="3.11"), outcome="done")
    assert "of the runtime." in told(result)


def test_failing_device_that_nobody_wrote_to() -> None:
    """Room enough: there is nothing to tell."""
    assert told(replay(busy_trace(), busy_config(swap="failing", memory="16M"))) == ""


def test_plain_swap_to_a_failing_device() -> None:
    """Nothing was compressed, so nothing is said of it."""
    text = told(busy_result(swap="failing", store="none"))
    assert "NO REAL SWAP" in text and "compress" not in text


def test_full_zram() -> None:
    """Writes that mem_limit failed."""
    result = busy_result(store="zram", zram__mem_limit="40K", swap__size="none")
    assert f"ZRAM WAS FULL: it failed {result.metrics['failed_writes']:,} writes" in told(result)
    assert "mem_limit 40K" in told(result)


def test_no_slots() -> None:
    """No swap space at all: only files can go."""
    trace = make_trace([[(page, 0) for page in range(40)] * 3], files=frozenset((0, page) for page in range(30)))
    assert told(replay(trace, busy_config(swap__size="none", memory="128K"))).startswith("NO SWAP SPACE")
