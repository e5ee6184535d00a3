"""An allocator alone over a sequence: checkpoints, fragmentation, reclaim, and the command around it."""

import json
import subprocess
import sys

import pytest

from tests.cli import entry
from zsim.errors import TraceError
from zsim.pack import ALLOCATOR, ENTRY_LRU, PackRun, density_by_size, pack
from zsim.pack.cost import DEBATE, time_reclaims
from zsim.pack.figures import density_figure, evictions_figure, pages_figure
from zsim.pack.map import map_figure
from zsim.pack.patterns import generate
from zsim.pack.result import quantile
from zsim.pack.sequence import Row
from zsim.style import write_figure


def rows(text):
    """ "a1:100 f1 c r" as rows; line numbers count from 1."""
    made = []
    for line, word in enumerate(text.split(), 1):
        number, _, size_bytes = word[1:].partition(":")
        made.append(Row(word[0], int(number or 0), int(size_bytes or 0), line))
    return made


def run(text, name="zbud", **options):
    """One allocator over such a text."""
    [result] = pack(rows(text), [PackRun(name, **options)])
    return result


def zsim(*arguments, **options):
    """The command, in a process of its own."""
    return subprocess.run([sys.executable, "-m", "zsim", *arguments], capture_output=True, text=True, **options)


def test_checkpoints():
    """One every so many rows and one after the last, not twice the same."""
    assert run("a1:100 a2:100 a3:100 f1 f2", every=2).ops == [2, 4, 5]
    result = run("a1:100 a2:100 a3:100 f1", every=2)
    assert (result.ops, result.pages, result.live, result.live_bytes) == ([2, 4], [1, 2], [2, 2], [200, 200])


def test_an_empty_sequence():
    """Nothing done is a result too."""
    result = run("")
    assert (result.ops, result.pages, result.final["density"]) == ([0], [0], None)


def test_refused_sizes_are_counted():
    """A size the allocator does not take is no error, nor is the free of what it refused; the id can be used again."""
    result = run("a1:0 a2:3969 a3:4097 f2 a2:100 a3:100")
    assert (result.refused, result.refused_by) == (3, {"EINVAL": 1, "ENOSPC": 2})
    assert (result.final["live"], result.final["live_bytes"]) == (2, 200)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a1:100 a1:100", "s.csv:2: column 'id': 1 is allocated already"),
        ("a1:100 f1 f1", "s.csv:3: column 'id': 1 is not allocated"),
        ("f7", "s.csv:1: column 'id': 7 is not allocated"),
        ("a1:5000 f1 f1", "s.csv:3: column 'id': 1 is not allocated"),
    ],
)
def test_impossible_rows(text, message):
    """An id allocated or freed twice is named with its line."""
    with pytest.raises(TraceError, match=message):
        run(text, place="s.csv")


def test_shares_add_up():
    """Stored bytes, internal and external fragmentation are the whole pool, for every allocator."""
    runs = [PackRun(name) for name in ("zbud", "z3fold", "zsmalloc@2013", "zsmalloc@6.12", "kmalloc", "ideal")]
    for result in pack(generate("churn:uniform", 3000, 2), runs):
        shares = [result.final[key] for key in ("utilization", "internal_fragmentation", "external_fragmentation")]
        assert min(shares) >= 0 and sum(shares) == pytest.approx(1, abs=3e-6)
        assert result.final["pages"] <= result.final["peak_pages"]


def test_fragmentation_of_a_zspage():
    """Two of three slots used: a third of the pool is external; the rest of the two slots' pages is internal."""
    final = run("a1:2712 a2:2000", "zsmalloc@6.1").final
    assert final["pages"] == 3  # 2720-byte slots, three in two pages; 2048-byte slots, two in one
    assert final["external_fragmentation"] == pytest.approx((2 / 3 * 8192 + 2048) / (3 * 4096), abs=1e-6)


def test_compact():
    """Pages before and after, and where in the sequence; the last one is `compact`."""
    result = run("a1:1000 a2:1000 a3:1000 a4:1000 a5:1000 f2 f3 f4 c c", "zsmalloc@6.1").to_json()
    assert result["compactions"] == [{"op": 9, "before": 2, "after": 1}, {"op": 10, "before": 1, "after": 1}]
    assert result["compact"] == {"op": 10, "before": 1, "after": 1}
    assert run("a1:1000").to_json()["compact"] is None


def test_reclaim_by_the_allocator():
    """zbud gives up both buddies of its oldest page; their frees do nothing and their ids are free."""
    result = run("a1:1000 a2:1000 a3:1000 r f1 a2:500 a1:100 f1")
    assert result.reclaim.by == ALLOCATOR
    assert (result.reclaim.evicted, result.reclaim.freed_pages) == ([(1, 2)], [1])
    assert result.final["live"] == 2


def test_reclaim_of_entries_in_lru_order():
    """Since 6.5 zswap evicts its oldest entries until a page happens to be free."""
    result = run("a1:1000 a2:3000 a3:1000 f1 a1:1000 a4:1000 r r r", "zsmalloc@6.12")
    assert result.reclaim.by == ENTRY_LRU
    assert result.reclaim.evicted[0] == (2,)
    assert result.reclaim.evicted[1] == (3, 1, 4)
    assert (result.reclaim.freed_pages, result.reclaim.errors) == ([3, 1, 0], {"EINVAL": 1})


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("zbud@6.1", ALLOCATOR),
        ("zbud@6.12", ENTRY_LRU),
        ("zsmalloc@2013", ENTRY_LRU),
        ("zsmalloc@6.1", ALLOCATOR),
        ("zsmalloc@6.3", ALLOCATOR),
        ("zsmalloc@6.12", ENTRY_LRU),
    ],
)
def test_who_reclaims(name, by):
    """As zswap of that kernel did, unless told otherwise."""
    assert run("a1:100 r", name).reclaim.by == by
    assert run("a1:100 r", name, reclaim_by=ENTRY_LRU).reclaim.evicted == [(1,)]


def test_zsmalloc_before_6_2_gives_nothing_back():
    """In 6.1 a reclaim of zsmalloc fails and evicts nothing."""
    summary = run("a1:100 r r", "zsmalloc@6.1").reclaim.summary()
    assert (summary["evictions"], summary["freed_pages"], summary["errors"]) == (0, 0, {"EINVAL": 2})


def test_several_runs_read_the_rows_once():
    """One pass over a generator feeds every allocator."""
    results = pack(generate("lz4", 100, 1), [PackRun("zbud"), PackRun("zsmalloc@6.1")])
    assert [result.ops for result in results] == [[100], [100]]
    assert [result.allocator for result in results] == ["zbud@6.1", "zsmalloc@6.1"]


def test_the_debate():
    """zbud frees a page for two evictions at most; entries of zsmalloc in LRU order cost far more."""
    results = pack(generate("reclaim:lz4", 20_000, 1), [PackRun(name) for name in DEBATE])
    time_reclaims(results, "hdd", "lz4")
    zbud, z3fold, by_zspage, by_entry = (result.reclaim for result in results)
    assert zbud.needed()[-1] == 2 and z3fold.needed()[-1] <= 3
    assert by_entry.needed()[-1] > 2 * by_zspage.needed()[-1] > 6
    assert by_entry.needed_ns()[-1] > 4 * zbud.needed_ns()[-1] > 0


def test_device_time():
    """The writes of one call overlap on a device with a queue: two pages cost one decompression more than one."""
    result = run("a1:1000 a2:1000 a3:3000 r r")
    time_reclaims([result], "nvme", "lz4")
    two, one = result.reclaim.times_ns
    assert two - one == 1700


def test_density_by_size():
    """Two objects a page in zbud whatever their size, 128 of 24 bytes in zsmalloc; refused sizes have no density."""
    density = density_by_size(["zbud", "zsmalloc"], [24, 1984, 1985, 4096])
    assert density == {
        "zbud@6.1": [(24, 2.0), (1984, 2.0), (1985, 1.0)],
        "zsmalloc@6.1": [(24, 128.0), (1984, 2.0), (1985, 2.0), (4096, 1.0)],
    }


@pytest.mark.parametrize(("q", "value"), [(0.5, 2), (0.75, 3), (0.76, 4), (1.0, 4), (0.0, 1)])
def test_quantile(q, value):
    """The smallest value that a share q of all do not exceed."""
    assert quantile([1, 2, 3, 4], q) == value
    assert quantile([], q) is None


def draw(folder, suffixes):
    """Every figure of a small run."""
    results = pack(generate("reclaim:few", 60, 1), [PackRun(name) for name in DEBATE])
    time_reclaims(results, "nvme", "lz4")
    folder.mkdir()
    write_figure(map_figure(results), folder / "map.svg", "svg")
    write_figure(evictions_figure(results), folder / "evictions.svg", "svg")
    density = density_by_size(["zbud", "kmalloc", "ideal"], [500, 1000, 4000])
    write_figure(density_figure(density), folder / "density.svg", "svg")
    for suffix in suffixes:
        write_figure(pages_figure(results), folder / f"pages.{suffix}", suffix)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_figures_are_reproducible(tmp_path):
    """The same results give the same bytes, in every format."""
    one, two = (draw(tmp_path / name, ("svg", "png", "pdf")) for name in ("one", "two"))
    assert len(one) == 6 and one == two


def test_command_json(tmp_path):
    """The documented object on stdout, from a file or from stdin."""
    path = tmp_path / "s.csv"
    path.write_text("op,id,size\na,1,100\na,2,5000\nf,1,\n")
    done = zsim("pack", str(path), "--allocator", "zbud", "--allocator", "zsmalloc@6.12", "--every", "2", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr, document["schema"]) == (0, "", 1)
    first = document["runs"][0]
    assert (first["allocator"], first["ops"], first["pages"], first["refused"]) == ("zbud@6.1", [2, 3], [1, 0], 1)
    piped = zsim("pack", "-", "-a", "zbud", "-a", "zsmalloc@6.12", "--every=2", "--json", input=path.read_text())
    assert piped.stdout == done.stdout


def test_command_output(tmp_path):
    """Results and figures in a directory, which is not overwritten unless told so."""
    arguments = ("pack", "--generate", "reclaim:few", "--ops", "60", "-o", str(tmp_path / "out"))
    assert zsim(*arguments).returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "evictions.svg",
        "map.svg",
        "pack.json",
        "pages.svg",
    ]
    again = entry.run(tmp_path, *arguments)
    assert (again.returncode, again.stdout) == (2, "") and "pack.json exists" in again.stderr
    assert entry.run(tmp_path, *arguments, "--figure", "map", "--force").returncode == 0


def test_command_prints_a_generated_sequence():
    """--generate alone makes a sequence that the command reads."""
    made = zsim("pack", "--generate", "churn:uniform", "--ops", "30", "--seed", "3")
    assert made.stdout.startswith("op,id,size\na,0,")
    assert "zbud@3.11" in zsim("pack", "-", "-a", "zbud@3.11", "--occupancy", input=made.stdout).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to run; give a SEQUENCE"),
        (["x.csv", "--generate", "lz4"], "give a SEQUENCE or --generate DIST, not both"),
        (["no.csv", "-a", "zbud"], "no.csv: No such file"),
        (["--generate", "lz4", "-a", "zbd"], "unknown allocator 'zbd'; did you mean 'zbud'"),
        (["--generate", "lz4", "-a", "zsmalloc@6.1", "--chain-size", "99"], "chain size 99 is not 1..16 pages"),
        (["--generate", "lz4", "--figure", "map", "--ops", "9000"], "no pool is small enough"),
        (["--generate", "lz4", "--figure", "evictions", "--ops", "99"], "the sequence needs r rows"),
    ],
)
def test_command_errors(tmp_path, arguments, message):
    """One line on stderr, nothing on stdout, exit status 2, no file written."""
    done = entry.run(tmp_path, "pack", *arguments)
    assert (done.returncode, done.stdout) == (2, "") and message in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
