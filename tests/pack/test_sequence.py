"""Sequences: what can be read, what is refused and how it is said, and what the generators make."""

import gzip
from collections import Counter
from io import StringIO

import pytest
import zstandard

from zsim.errors import TraceError, UsageError
from zsim.pack import PackRun, pack
from zsim.pack.patterns import ADVERSARIAL, PATTERNS, SIZES, generate, population_sizes
from zsim.pack.sequence import Row, read_sequence, write_sequence

PLAIN = b"op,id,size\na,1,100\na,2,5000\nf,1,\nc,,\nr\n"
ROWS = [Row("a", 1, 100, 2), Row("a", 2, 5000, 3), Row("f", 1, 0, 4), Row("c", 0, 0, 5), Row("r", 0, 0, 6)]


def read(tmp_path, content):
    """The rows of a file with this content."""
    path = tmp_path / "seq.csv"
    path.write_bytes(content)
    return list(read_sequence(str(path)))


@pytest.mark.parametrize("pack_bytes", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
def test_plain_gzip_and_zstd(tmp_path, pack_bytes):
    """A file is read by what it holds, whatever it is called."""
    assert read(tmp_path, pack_bytes(PLAIN)) == ROWS


def test_spellings(tmp_path):
    """Carriage returns, blank lines, a byte-order mark, other orders and columns, no last newline: all are read."""
    assert [row[:3] for row in read(tmp_path, b"\xef\xbb\xbfop,id,size\r\n\r\na,1,100\r\nf,1,100")] == [
        ("a", 1, 100),
        ("f", 1, 100),
    ]
    assert read(tmp_path, b"time,size,op,id\n9,100,a,1\n") == [Row("a", 1, 100, 2)]


def test_no_header(tmp_path):
    """The header may be left out; lines count from 1 either way."""
    assert read(tmp_path, b"a,1,100\nf,1,\n") == [Row("a", 1, 100, 1), Row("f", 1, 0, 2)]


def test_header_alone(tmp_path):
    """A sequence of nothing is a sequence."""
    assert read(tmp_path, b"op,id,size\n") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"seq.csv: empty; expected rows of op,id,size"),
        (b"op,id\na,1\n", r"seq.csv:1: no column 'size' in 'op,id'"),
        (b"op,id,size\nx,1,2\n", r"seq.csv:2: column 'op': 'x'; expected a, f, c or r"),
        (b"op,id,size\na,1,2\na,-1,2\n", r"seq.csv:3: column 'id': '-1'; expected a whole number"),
        (b"a,1,1e3\n", r"seq.csv:1: column 'size': '1e3'; expected a whole number"),
        (b"a,1\n", r"seq.csv:1: column 'size': nothing; expected a number"),
        (b"a,1,%d\n" % 2**64, r"column 'size': '18446744073709551616'; expected a whole number below 2\^63"),
        (b"\x00\xff" * 4000, r"seq.csv:1: no end of line in 4096 bytes"),
        (gzip.compress(PLAIN, mtime=0)[:-9], r"seq.csv: the gzip stream ends too early"),
        (zstandard.ZstdCompressor().compress(PLAIN)[:-3], r"seq.csv: the zstd stream ends too early"),
    ],
)
def test_what_cannot_be_read(tmp_path, content, message):
    """File, line, column, the value found and what was expected."""
    with pytest.raises(TraceError, match=message):
        read(tmp_path, content)


def test_no_such_file(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(TraceError, match="nothing.csv: No such file"):
        list(read_sequence(str(tmp_path / "nothing.csv")))


def test_written_and_read_again(tmp_path):
    """What is written is read as the same rows."""
    rows = list(generate("reclaim:uniform", 300, 1))
    out = StringIO()
    write_sequence(rows, out)
    assert read(tmp_path, out.getvalue().encode()) == rows


@pytest.mark.parametrize("spec", [*SIZES, *PATTERNS, "churn:zstd", *(f"adversarial:{name}" for name in ADVERSARIAL)])
def test_generators(spec):
    """As many rows as asked for, the same for the same seed, and no id is taken or freed twice."""
    rows = list(generate(spec, 700, 5))
    assert len(rows) == 700 and rows == list(generate(spec, 700, 5))
    [result] = pack(rows, [PackRun("zsmalloc")])
    assert result.refused == 0 and result.ops[-1] == 700


def test_seeds_differ():
    """Another seed draws other sizes."""
    assert list(generate("uniform", 50, 1)) != list(generate("uniform", 50, 2))


def test_population_sizes():
    """Real pages that the kernel's zswap would store: none above a page, a mean near 1.7 kB for lz4."""
    sizes = population_sizes("lz4")
    assert len(sizes) == 3975 and max(sizes) <= 4096
    assert 1600 < sum(sizes) / len(sizes) < 1750


def test_a_size_in_bytes():
    """A number is a size distribution of one."""
    assert {row.size_bytes for row in generate("fill:2049", 20, 1)} == {2049}


def test_ageing_grows():
    """The data of an ageing pool compresses worse as time goes by."""
    sizes = [row.size_bytes for row in generate("ageing:uniform", 6000, 1) if row.op == "a"]
    early, late = sizes[:1000], sizes[-1000:]
    assert sum(late) > 1.5 * sum(early)


def test_reclaim_ends_with_reclaims():
    """One row in 200, all at the end."""
    ops = [row.op for row in generate("reclaim", 2000, 1)]
    assert ops[-10:] == ["r"] * 10 and Counter(ops)["r"] == 10


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_adversarial(name):
    """Each allocator does much worse on its own bad case than stored bytes would need."""
    [result] = pack(generate(f"adversarial:{name}", 12_000, 1), [PackRun(name)])
    assert result.final["pages"] > 1.1 * result.final["live_bytes"] / 4096
    worst = max(pages - size_bytes / 4096 for pages, size_bytes in zip(result.pages, result.live_bytes, strict=True))
    assert worst > 0.3 * result.final["peak_pages"] or name == "zblock"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("unifrom", "no size distribution 'unifrom'; did you mean 'uniform'"),
        ("chrun:lz4", "no pattern 'chrun'; did you mean 'churn'"),
        ("adversarial:zbad", "no allocator 'zbad'; did you mean 'zbud'"),
    ],
)
def test_unknown_names(spec, message):
    """A misspelt name gets the nearest known one."""
    with pytest.raises(UsageError, match=message):
        generate(spec, 10, 1)
