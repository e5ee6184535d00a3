"""Kill a sweep (kill -9) at random moments, its parent or one of its workers, and see that nothing is lost or torn.

    python benchmarks/kill_sweep.py [--kills 50] [--seed 1] [--study STUDY.toml]

After every kill of the parent each result that is there must be byte for byte that of an undisturbed sweep, and none
that was there before may be gone. At the end the sweep is completed: equal again, with no temporary files. When a sweep
comes to its end before the kills do, a new one is begun. Prints a line a kill and a summary, or fails.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRACES = Path(__file__).parent.parent / "traces"
STUDY = f"""
traces = ["{TRACES}/gcc", "{TRACES}/sqlite"]
[axes]
allocator = ["zbud", "zsmalloc"]
memory = ["40%", "50%", "60%", "70%"]
"""
FILES = ("result.json", "series.csv", "histograms.csv")


def start(study: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "zsim", "sweep", str(study), "-o", str(folder), "-j", "2", "-q"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def workers(parent: int) -> list[int]:
    """The processes of a sweep that replay."""
    found = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in task.read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def results(folder: Path) -> dict[str, bytes]:
    """Every result's bytes, by the name of its run and file; a run without a whole result is not among them."""
    runs = [path for path in (folder / "runs").glob("*") if not path.name.startswith(".")]
    done = [run for run in runs if not (run / "failed.json").exists()]
    return {f"{run.name}/{name}": (run / name).read_bytes() for run in done for name in FILES}


class Victim:
    """One sweep that is killed now and then."""

    def __init__(self, study: Path, folder: Path, wanted: dict[str, bytes]) -> None:
        self.study, self.folder, self.wanted = study, folder, wanted
        self.before: dict[str, bytes] = {}
        self.sweep = start(study, folder)

    def kill(self, whom: str, choose: random.Random) -> str | None:
        """Kill the parent or a worker; what was killed, or None where the sweep has come to its end."""
        pids = workers(self.sweep.pid) if self.sweep.poll() is None else []
        if self.sweep.poll() is not None:
            return None
        pid = choose.choice(pids) if whom == "worker" and pids else self.sweep.pid
        os.kill(pid, signal.SIGKILL)
        if pid != self.sweep.pid:
            return "worker"
        self.sweep.wait()
        since = time.monotonic()
        while any(lives(worker) for worker in pids):
            assert time.monotonic() - since < 10, "workers outlive their parent"
            time.sleep(0.01)
        self.check()
        self.sweep = start(self.study, self.folder)
        return f"parent (its {len(pids)} workers were gone after {time.monotonic() - since:.2f} s)"

    def begun(self) -> None:
        """Wait until it replays: on a busy machine most kills would hit a sweep that is still starting."""
        while self.sweep.poll() is None and not workers(self.sweep.pid):
            time.sleep(0.05)

    def check(self) -> None:
        now = results(self.folder)
        assert all(self.wanted[name] == held for name, held in now.items()), "a result differs"
        assert self.before.keys() <= now.keys(), "a result is gone"
        self.before = now

    def finish(self) -> None:
        """Let it end, and sweep once more if a run counts as failed because it was killed twice."""
        if self.sweep.wait() != 0:
            assert start(self.study, self.folder).wait() == 0
        self.check()
        assert self.before == self.wanted, "the completed sweep differs"
        hidden = [str(path) for path in self.folder.rglob(".*")]
        assert not hidden and not list(self.folder.rglob("failed.json")), hidden


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--study", type=Path)
    parser.add_argument("--wait", type=float, default=6.0, help="longest time between two kills, seconds")
    given = parser.parse_args()
    choose = random.Random(given.seed)
    counts = {"parent": 0, "worker": 0, "sweeps": 0}
    with tempfile.TemporaryDirectory() as name:
        study = given.study or Path(name) / "study.toml"
        if not given.study:
            study.write_text(STUDY)
        assert start(study, Path(name) / "undisturbed").wait() == 0
        wanted = results(Path(name) / "undisturbed")
        while sum((counts["parent"], counts["worker"])) < given.kills:
            victim = Victim(study, Path(name) / f"killed{counts['sweeps']}", wanted)
            while sum((counts["parent"], counts["worker"])) < given.kills:
                if choose.random() < 0.8:
                    victim.begun()
                time.sleep(choose.uniform(0, given.wait))
                killed = victim.kill(choose.choice(["parent", "worker"]), choose)
                if killed is None:
                    break
                counts[killed.split()[0]] += 1
                print(f"{len(victim.before) // len(FILES):3} of {len(wanted) // len(FILES)} done: {killed}", flush=True)
            victim.finish()
            counts["sweeps"] += 1
    print(f"{counts['parent']} parents and {counts['worker']} workers killed in {counts['sweeps']} sweeps; all equal")


if __name__ == "__main__":
    main()
