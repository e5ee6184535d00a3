"""One replay from trace and configuration to result: every metric worked out from what the machine did."""

import pytest

import zsim
from tests.machines import make_trace
from tests.results import busy_config, busy_result, busy_trace, oom_result
from zsim.config import load_config
from zsim.errors import UsageError
from zsim.metrics import METRICS
from zsim.run import check_config, default_directory, digest_of, replay
from zsim.units import PAGE_SIZE


def test_metrics_agree_with_one_another() -> None:
    """Sums and ratios follow from the counters beside them."""
    metrics = busy_result().metrics
    assert list(metrics) == list(METRICS)
    value = {name: number or 0 for name, number in metrics.items()}
    assert value["accesses"] == busy_trace().accesses
    assert value["hits"] + value["pgfault"] == value["accesses"]
    assert value["pgfault"] == value["minor_faults"] + value["pgmajfault"]
    assert value["pgmajfault"] == value["major_store"] + value["major_device"]
    assert value["pgsteal"] == value["pgsteal_kswapd"] + value["pgsteal_direct"]
    assert value["effective_ratio"] == round(value["stored_pages"] / value["pool_pages"], 6)
    assert value["density"] == round((value["stored_pages"] - value["same_filled_pages"]) / value["pool_pages"], 6)
    assert value["compression_ratio"] == round(value["stored_pages"] * PAGE_SIZE / value["compressed_bytes"], 6)
    assert value["pool_pages_peak"] >= value["pool_pages"] and value["slowdown"] > 1
    assert value["swap_read_requests"] <= value["pswpin"] and value["swap_write_requests"] <= value["pswpout"]


def test_enough_memory_means_no_slowdown() -> None:
    """With room for all, only first touches fault and the slowdown is exactly 1."""
    result = replay(busy_trace(), load_config(memory="16M"))
    assert result.metrics["slowdown"] == 1 and result.metrics["pgmajfault"] == 0
    assert result.metrics["effective_ratio"] is None and result.metrics["density"] is None
    assert result.latency_ns["major_store"] == dict.fromkeys(result.latency_ns["minor"]) | {"count": 0}


def test_without_a_store_no_sizes_are_asked_for() -> None:
    """Plain swap loads no contents, and what belongs to a pool is n/a."""
    result = busy_result(store="none")
    assert result.metrics["drawn_share"] is None and result.metrics["compression_ratio"] is None
    assert result.metrics["pool_pages_peak"] == 0 and result.metrics["pswpin"]
    assert busy_result().metrics["drawn_share"] == 1


def test_plain_swap_of_6_12_knows_which_pages_are_zero() -> None:
    """The zero map asks what pages hold even where no store does."""
    assert busy_result(store="none", era="6.12").metrics["pswpout"]


def test_out_of_memory_is_an_outcome() -> None:
    """The result is complete up to then, with no slowdown to speak of."""
    result = oom_result()
    assert result.outcome == "oom" and result.metrics["slowdown"] is None
    assert 0 < (result.metrics["accesses"] or 0) < result.trace["accesses"]
    assert (result.metrics["runtime_ns"] or 0) > 0


def test_the_audit_runs_where_asked() -> None:
    """With check, counters are the same as without."""
    assert replay(busy_trace(), busy_config(), check=True).metrics == busy_result().metrics


def test_seed_changes_draws() -> None:
    """Another seed draws other sizes, the same seed the same."""
    assert busy_result(seed=2).metrics != busy_result().metrics
    assert busy_result(seed=2).to_json() == busy_result(seed=2).to_json()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"allocator": "zbdu"}, "unknown allocator 'zbdu'; did you mean 'zbud'"),
        ({"allocator": "zbud@new"}, "'new' is not a kernel version"),
        ({"store": "zswp"}, "did you mean 'zswap'"),
        ({"compressor": "lz5"}, "unknown compressor 'lz5'; did you mean 'lz"),
        ({"writeback": "wrker"}, "did you mean 'worker'"),
        ({"reclaim": "two_list"}, "did you mean 'two-list'"),
        ({"swap": "nvm"}, "did you mean 'nvme'"),
        ({"file": "nvm"}, "did you mean 'nvme'"),
        ({"device.red_ns": 3}, "did you mean 'read_ns'"),
        ({"memory": "12Q"}, "memory.size: '12Q' is not a size"),
        ({"memory": "0"}, "memory.size: '0' leaves nothing"),
        ({"memory": "-4M"}, "memory.size: '-4M' is not a size"),
        ({"memory.total": "many"}, "memory.total: 'many' is not a size"),
        ({"swap.size": "0%"}, "swap.size: '0%' leaves nothing"),
    ],
)
def test_names_and_sizes_are_checked_first(values: dict[str, object], message: str) -> None:
    """A wrong name or size is known before any trace is opened."""
    config = load_config(**values)
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        check_config(config)
    with pytest.raises(UsageError):
        replay("no/such/trace", config)


def test_unknown_engine() -> None:
    """An engine's name is checked like any other."""
    with pytest.raises(UsageError, match="did you mean 'fast'"):
        replay(busy_trace(), engine="fats")


def test_where_results_go() -> None:
    """The directory says trace, store, allocator and digest; without a store there is no allocator to name."""
    trace, config = busy_trace(), busy_config()
    assert str(default_directory(trace, config)) == f"results/busy-zswap-zbud-{digest_of(trace, config)[:8]}"
    assert default_directory(trace, busy_config(store="none")).name.startswith("busy-none-")
    assert replay(trace, config).digest == digest_of(trace, config)


def test_digest_tells_runs_apart() -> None:
    """Configuration and trace each change it; the audit does not."""
    one = digest_of(busy_trace(), busy_config())
    assert one != digest_of(busy_trace(), busy_config(seed=2))
    assert one != digest_of(make_trace([[(0, 1)]]), busy_config())
    assert one == digest_of(busy_trace(), busy_config(check__every=7))


def test_the_api_is_reached_by_one_import() -> None:
    """Every name of the API resolves, and a wrong one is an AttributeError."""
    for name in zsim.__all__:
        assert getattr(zsim, name) is not None
    assert zsim.replay is replay and len(zsim.__all__) <= 15
    with pytest.raises(AttributeError, match="no attribute 'relpay'"):
        zsim.relpay  # noqa: B018
    assert set(zsim.__all__) <= set(dir(zsim))
