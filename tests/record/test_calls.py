"""Which memory a system call touches, from the table alone."""

from struct import pack

import pytest

from zsim.record.calls import NUMBER, Touch, calls, touches


def memory(pieces: dict[int, bytes]) -> object:
    """Read(address, size) over a few pieces of memory."""

    def read(address: int, size: int) -> bytes:
        for start, data in pieces.items():
            if start <= address < start + len(data):
                return data[address - start : address - start + size]
        return b""

    return read


def of(name: str, *args: int, **pieces: bytes) -> list[Touch]:
    """The touches of a call; memory as x1000=b"..."."""
    held = {int(place[1:], 16): data for place, data in pieces.items()}
    return touches(NUMBER[name], [*args, *[0] * (6 - len(args))], memory(held))  # type: ignore[arg-type]


def test_table_is_whole() -> None:
    """Each number and name stands once, and each word is one that is understood."""
    assert len(NUMBER) == len(calls()) > 180
    assert (NUMBER["read"], NUMBER["clone3"], NUMBER["openat"]) == (0, 435, 257)
    for name in NUMBER:
        of(name, *[0x1000] * 6)


def test_buffers() -> None:
    """A read writes its buffer as far as its result goes, a write reads it, and no memory is none."""
    assert of("read", 3, 0x5000, 100) == [Touch(0x5000, 100, True, True)]
    assert of("pwrite64", 3, 0x5000, 100, 7) == [Touch(0x5000, 100, False)]
    assert of("read", 3, 0, 100) == of("read", 3, 0x5000, 0) == of("close", 0x5000) == []
    assert of("poll", 0x5000, 3) == [Touch(0x5000, 24, True)]
    assert of("clone3", 0x5000, 88) == [Touch(0x5000, 88, True)]


def test_strings() -> None:
    """A string counts up to its end, over pages, and a list of strings with all of them."""
    path = b"x" * 5000 + b"\0rest"
    assert of("openat", 0, 0x1FF0, x1FF0=path) == [Touch(0x1FF0, 5001, False)]
    vector = pack("<3Q", 0x6000, 0x7000, 0)
    found = of("execve", 0x6000, 0x5000, 0, x5000=vector, x6000=b"sh\0", x7000=b"-c\0")
    assert found == [
        Touch(0x6000, 3, False),
        Touch(0x5000, 24, False),
        Touch(0x6000, 3, False),
        Touch(0x7000, 3, False),
    ]


def test_vectors_and_messages() -> None:
    """Vectors and message headers are followed to their buffers."""
    vector = pack("<4Q", 0x8000, 10, 0x9000, 0)
    assert of("readv", 3, 0x5000, 2, x5000=vector) == [Touch(0x5000, 32, False), Touch(0x8000, 10, True, True)]
    header = pack("<7Q", 0x4000, 16, 0x5000, 1, 0x3000, 24, 0)
    found = of("recvmsg", 3, 0x2000, 0, x2000=header, x5000=vector)
    assert (
        Touch(0x8000, 10, True, True) in found and Touch(0x4000, 16, True) in found and Touch(0x3000, 24, True) in found
    )
    assert of("recvmsg", 3, 0x2000, 0) == []


@pytest.mark.parametrize("size", [-1, 1 << 40])
def test_size_out_of_range(size: int) -> None:
    """A size that no call takes is cut as the kernel cuts it."""
    assert of("write", 3, 0x5000, size & (1 << 64) - 1)[:1] in ([Touch(0x5000, 0x7FFFF000, False)], [])


def test_call_not_listed() -> None:
    """Arguments that look like addresses are taken to be written."""
    assert touches(999, [1, 0x5000, 0, 0, 0, 0], lambda at, size: b"") == [Touch(0x5000, 64, True)]
