"""What every device in the registry keeps to, and how one is made from a configuration."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zsim.devices
from zsim.devices import DEVICES, Device, make_device
from zsim.errors import ConfigError, UsageError

BLOCKS = 4096
every_device = pytest.mark.parametrize("name", DEVICES.names())
requests = st.lists(
    st.tuples(
        st.integers(-2_000, 200_000),  # a reclaimer submits at the end of its batch: time may step back a little
        st.booleans(),
        st.integers(0, BLOCKS - 32),
        st.integers(1, 32),
    ),
    max_size=150,
)


def replay(device: Device, rows: list[tuple[int, bool, int, int]]) -> list[tuple[int, int]]:
    """Submit every row; (submitted, completed) of each."""
    now_ns, times = 10_000, []
    for step_ns, write, slot, pages in rows:
        now_ns = max(0, now_ns + step_ns)
        times.append((now_ns, device.submit(now_ns, write, slot, pages)))
    return times


@every_device
@given(rows=requests)
def test_books(name: str, rows: list[tuple[int, bool, int, int]]) -> None:
    """Nothing completes before it was submitted, nothing is lost, and no server is busy more than all the time."""
    device = make_device(name, BLOCKS, seed=1)
    times = replay(device, rows)
    device.validate()
    assert all(done_ns > now_ns for now_ns, done_ns in times)
    assert device.requests == len(rows) == device.read_requests + device.write_requests
    assert device.read_pages == sum(pages for _, write, _, pages in rows if not write)
    assert device.written_pages == sum(pages for _, write, _, pages in rows if write)
    horizon_ns = max((done_ns for _, done_ns in times), default=0)
    assert device.busy_ns <= device.parallel * horizon_ns


@every_device
@given(rows=requests)
def test_repeatable(name: str, rows: list[tuple[int, bool, int, int]]) -> None:
    """The same seed and the same requests give the same times."""
    assert replay(make_device(name, BLOCKS, 7), rows) == replay(make_device(name, BLOCKS, 7), rows)


@every_device
@given(rows=requests)
def test_no_more_in_service_than_servers(name: str, rows: list[tuple[int, bool, int, int]]) -> None:
    """A request is served after all but k - 1 of those before it have completed, and takes a microsecond or more."""
    settings = {"parallel": 2} if "parallel" in DEVICES.load(name).settings() else {}
    device = make_device(name, BLOCKS, 1, settings)
    times = replay(device, rows)
    for index in range(device.parallel, len(times)):
        completed = sorted(done_ns for _, done_ns in times[:index])
        assert times[index][1] >= completed[-device.parallel] + 1_000


@every_device
def test_one_kind_in_order(name: str) -> None:
    """Requests alike that have to wait complete in the order of submission, even where time steps back a little."""
    device = make_device(name, BLOCKS, 1)
    done_ns = [device.submit(1_000_000 - index, False, index, 1) for index in range(200)]
    assert done_ns[device.parallel :] == sorted(done_ns[device.parallel :])


@every_device
@pytest.mark.parametrize(("slot", "pages"), [(-1, 1), (BLOCKS, 1), (BLOCKS - 1, 2), (0, 0)])
def test_off_the_device(name: str, slot: int, pages: int) -> None:
    """A request that is not wholly on the device is refused and not counted."""
    device = make_device(name, BLOCKS, 1)
    with pytest.raises(ValueError, match=f"{pages} pages from block {slot} are not on"):
        device.submit(0, True, slot, pages)
    assert device.requests == 0
    device.validate()


@every_device
def test_settings_can_all_be_set(name: str) -> None:
    """Every default is a whole number above zero, is accepted when set, and so is a whole float."""
    settings = DEVICES.load(name).settings()
    assert settings
    assert all(type(value) is int and value > 0 for value in settings.values())
    as_floats = {key: float(value) for key, value in settings.items()}
    devices = [make_device(name, BLOCKS, 1, each) for each in (None, settings, as_floats)]
    assert len({device.submit(5, False, 9, 1) for device in devices}) == 1


@every_device
def test_names_end_in_units(name: str) -> None:
    """A setting says its unit: nanoseconds, bytes a second, turns a minute, or a count."""
    for key in DEVICES.load(name).settings():
        assert key.endswith(("_ns", "_bytes_per_s")) or key in ("parallel", "rpm")


@every_device
def test_says_what_it_is(name: str) -> None:
    """The docstring of the class begins with a line for `zsim list`."""
    assert (DEVICES.load(name).__doc__ or "").split("\n")[0].strip()


@every_device
def test_validate_notices(name: str) -> None:
    """A request that was lost, or a server busy before time began, does not pass the audit."""
    device = make_device(name, BLOCKS, 1)
    device.submit(0, False, 1, 1)
    device.read_requests += 1
    with pytest.raises(AssertionError, match="lost or invented"):
        device.validate()


def test_only_failing_fails_and_only_hdd_turns() -> None:
    """The two traits others ask a device for."""
    assert [name for name, kind in DEVICES.items() if kind.fails] == ["failing"]
    assert [name for name, kind in DEVICES.items() if kind.rotational] == ["hdd"]


def test_unknown_device() -> None:
    """A wrong name is answered with the nearest right one."""
    with pytest.raises(UsageError, match="did you mean 'nvme'"):
        make_device("nvm", BLOCKS, 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"raed_ns": 5}, "device.raed_ns: nvme has no such setting; did you mean 'read_ns'"),
        ({"rpm": 7200}, "nvme has no such setting"),
        ({"read_ns": -1}, "device.read_ns: -1 is too small"),
        ({"parallel": 0}, "device.parallel: 0 is too small"),
        ({"parallel": 1 << 40}, "is above 65536"),
        ({"bandwidth_bytes_per_s": 0}, "too small"),
        ({"read_ns": 1.5}, "1.5 is not a whole number"),
        ({"read_ns": float("inf")}, "inf is not a whole number"),
        ({"read_ns": "80us"}, "'80us' is not a whole number"),
        ({"read_ns": True}, "True is not a whole number"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    """A setting that does not exist or is out of range names itself, its value and the default."""
    with pytest.raises(ConfigError, match=message):
        make_device("nvme", BLOCKS, 1, settings)


@every_device
def test_no_blocks(name: str) -> None:
    """A device without blocks cannot be made."""
    with pytest.raises(ConfigError, match="a device of 0 blocks holds nothing"):
        make_device(name, 0, 1)


def test_a_device_knows_no_clock() -> None:
    """Devices answer what a request costs; nothing under them imports an event loop."""
    for path in Path(zsim.devices.__file__).parent.glob("*.py"):
        modules = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
        assert "simpy" not in modules, path
