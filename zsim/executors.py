"""Where runs are executed: processes of this machine, or a Dask cluster; both are a `concurrent.futures.Executor`."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, Protocol

from zsim.errors import UsageError, ZsimError

PATIENCE_S = 10


class Pool(Protocol):
    """What a sweep asks for executors.

    width   runs to hand over at a time; None: all at once
    stores  whether workers store results where the sweep wants them; else results travel back
    """

    width: int | None
    stores: bool

    def start(self) -> Executor:
        """A new executor, the first or in place of one that broke."""

    def stop(self) -> None:
        """Whatever still runs is not wanted any more."""


def processors() -> int:
    """Processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Processes:
    """Pools of so many processes, which end at once with `stop`, or with this process, however that ends.

    Each watches a pipe whose other end this process alone holds.
    """

    stores = True

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.width: int | None = jobs
        self.context = get_context("spawn")
        self.watched, self.held = self.context.Pipe(duplex=False)
        self.pool: ProcessPoolExecutor | None = None

    def start(self) -> Executor:
        """A new pool; its processes come up when there is work for them."""
        self.pool = _Pool(self.jobs, self.context, _begin, (self.watched,))
        return self.pool

    def stop(self) -> None:
        """End the processes, whatever they are doing."""
        self.held.close()
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)


class Given:
    """An executor of somebody else's, of which nothing is known; it is left as it was."""

    width: int | None = None
    stores = False

    def __init__(self, executor: Executor) -> None:
        self.executor: Executor | None = executor

    def start(self) -> Executor:
        """It, once; a `ZsimError` if it broke, as there is no other."""
        if self.executor is None:
            raise ZsimError("the executor broke; what is done is stored, sweep again to go on")
        executor, self.executor = self.executor, None
        return executor

    def stop(self) -> None:
        """Nothing: who made it ends it."""


class _Pool(ProcessPoolExecutor):
    def submit(self, *work: Any, **named: Any) -> Future[Any]:
        """Hand work over, for which a process may be started."""
        with _apart():
            return super().submit(*work, **named)


@contextmanager
def _apart() -> Iterator[None]:
    """Processes started here do not get the terminal's Ctrl-C, and do not run the user's script once more."""
    main = sys.modules["__main__"]
    hidden = {name: main.__dict__.pop(name) for name in ("__file__", "__spec__") if name in main.__dict__}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        main.__dict__["__spec__"] = None
        yield
    finally:
        main.__dict__.update({"__spec__": None} | hidden)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(watched: Connection) -> None:
    """What a worker does first."""
    Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    """End this process when nobody holds the other end of the pipe any more."""
    watched.poll(None)
    os._exit(1)


@contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """The executor of a Dask cluster; a `UsageError` where Dask is not installed or no scheduler answers."""
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        raise UsageError("--dask needs Dask, which is not installed: pip install 'zsim[dask]'") from None
    try:
        socket.create_connection(dask.comm.get_address_host_port(address), PATIENCE_S).close()  # a Client waits longer
        client = dask.Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"--dask {address}: no scheduler answers there ({error})") from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()
