"""Block devices behind swap and files: what a request costs in time, with real queues."""

from collections.abc import Mapping
from typing import ClassVar, Protocol

from zsim.errors import ConfigError
from zsim.registry import Registry, suggestion

MAX_PARALLEL = 1 << 16
"""Requests in service at once: what one NVMe queue can hold (64 Ki entries)."""


class Device(Protocol):
    """A block device with its queue. Slots are 4 KiB blocks; times are absolute nanoseconds, integers.

    A device is analytic: the completion of a request is known when it is submitted, so nobody needs an event to wait.
    Requests are taken in the order of submission (FIFO) by as many servers as the device has parallelism; a request
    submitted after another with an earlier `now_ns` still queues behind it.

    A device is made as `Class(blocks, seed, **settings)`; every setting is a keyword-only integer with a default.
    A request on a device that `fails` completes with an error; it is counted like any other, as `pswpout` is.
    """

    fails: ClassVar[bool]
    rotational: ClassVar[bool]

    blocks: int
    read_requests: int
    write_requests: int
    read_pages: int
    written_pages: int

    @property
    def requests(self) -> int:
        """Requests submitted, reads and writes."""
        ...

    @property
    def parallel(self) -> int:
        """Requests served at once."""
        ...

    @property
    def busy_ns(self) -> int:
        """Time in service, summed over requests: utilisation is this by (`parallel` x elapsed time)."""
        ...

    @classmethod
    def settings(cls) -> dict[str, int]:
        """What can be set, and its default."""
        ...

    def submit(self, now_ns: int, write: bool, slot: int, pages: int) -> int:
        """Queue one request for `pages` adjacent blocks from `slot` at `now_ns`; the time it completes."""
        ...

    def validate(self) -> None:
        """Recount the queue's books; an `AssertionError` where they are wrong."""
        ...


DEVICES = Registry(
    "device",
    {
        "hdd": "zsim.devices.hdd:Hdd",
        "sata-ssd": "zsim.devices.ssd:SataSsd",
        "nvme": "zsim.devices.ssd:Nvme",
        "optane": "zsim.devices.ssd:Optane",
        "network": "zsim.devices.network:Network",
        "failing": "zsim.devices.failing:Failing",
    },
)


def make_device(name: str, blocks: int, seed: int, settings: Mapping[str, object] | None = None) -> Device:
    """The device `name` with `blocks` 4 KiB blocks; a `ConfigError` for a setting it lacks or a value out of range."""
    kind = DEVICES.load(name)
    known = kind.settings()
    values = {key: _checked(name, key, value, known) for key, value in (settings or {}).items()}
    device: Device = kind(blocks, seed, **values)
    return device


def _checked(name: str, key: str, value: object, known: dict[str, int]) -> int:
    if key not in known:
        raise ConfigError(f"device.{key}: {name} has no such setting{suggestion(key, list(known))}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # TOML writes a large round number as 3e9
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"device.{key}: {value!r} is not a whole number (default: {known[key]})")
    if value < (0 if key.endswith("_ns") else 1):
        raise ConfigError(f"device.{key}: {value} is too small (default: {known[key]})")
    if key == "parallel" and value > MAX_PARALLEL:
        raise ConfigError(f"device.{key}: {value} is above {MAX_PARALLEL} (default: {known[key]})")
    return value
