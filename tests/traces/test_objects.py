"""zsim.traces.objects: page-cache objects, by runs of pages or by the names the trace gives."""

from pathlib import Path

import pytest

from tests.machines import make_trace
from zsim.traces import converted, open_trace
from zsim.traces.objects import page_objects


def found(text: str, tmp_path: Path) -> list[tuple[int, int, int]]:
    """(page number, object, index) of every page of a CSV's trace."""
    path = tmp_path / "t.csv"
    path.write_text(text)
    trace = open_trace(path)
    objects, indexes = page_objects(trace)
    return list(zip(trace.numbers.tolist(), objects.tolist(), indexes.tolist(), strict=True))


def test_runs_of_file_pages_are_objects() -> None:
    """Pages 4, 5, 6 are one object and 9 another; anonymous pages belong to none, and each task has its own."""
    tasks = [[(page, 0) for page in (9, 5, 4, 6, 7)], [(5, 0)]]
    trace = make_trace(tasks, files=frozenset({(0, 4), (0, 5), (0, 6), (0, 9), (1, 5)}))
    objects, indexes = page_objects(trace)
    assert trace.objects is None
    assert objects.tolist() == [1, 0, 0, 0, -1, 2]
    assert indexes.tolist()[:4] == [0, 1, 0, 2]


def test_names_make_objects(tmp_path: Path) -> None:
    """A named file is one object of its task wherever its pages lie; pages without a name are runs of their own."""
    text = "page,op,kind,file\n10,R,file,libc\n20,R,file,libc\n11,R,file,\n12,R,file,\n30,R,anon,\n15,R,file,ld\n"
    assert found(text, tmp_path) == [(10, 0, 0), (20, 0, 10), (11, 2, 0), (12, 2, 1), (30, -1, 0), (15, 1, 0)]


def test_same_name_in_two_tasks_is_two_objects(tmp_path: Path) -> None:
    """Pages are a task's own, so that their keys must not meet."""
    text = "task,page,op,kind,file\na,10,R,file,x\nb,50,R,file,x\n"
    assert found(text, tmp_path) == [(10, 0, 0), (50, 1, 0)]


def test_a_page_that_comes_back_has_the_file_it_came_back_as(tmp_path: Path) -> None:
    """File, anonymous, file again: the first and the last page have a file each."""
    text = "page,op,kind,file\n10,R,file,x\n10,W,anon,\n10,R,file,y\n"
    assert found(text, tmp_path) == [(10, 0, 0), (10, -1, 0), (10, 1, 0)]


def test_first_row_names_a_page(tmp_path: Path) -> None:
    """A page keeps the file of its first row."""
    assert found("page,op,kind,file\n10,R,file,x\n10,R,file,y\n", tmp_path) == [(10, 0, 0)]


def test_a_column_of_no_names_changes_nothing(tmp_path: Path) -> None:
    """A file column that names nothing gives the trace of one without it, digest included."""
    (tmp_path / "one.csv").write_text("page,op,kind,file\n10,R,file,\n12,R,file,\n")
    (tmp_path / "two.csv").write_text("page,op,kind\n10,R,file\n12,R,file\n")
    one, two = open_trace(tmp_path / "one.csv"), open_trace(tmp_path / "two.csv")
    assert one.objects is None and one.digest == two.digest


def test_objects_outlive_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The converted copy of a trace has its objects, and the digest knows them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(converted, "LARGE_BYTES", 1)
    path = tmp_path / "t.csv"
    path.write_text("page,op,kind,file\n10,R,file,x\n20,R,file,y\n")
    first, again = open_trace(path), open_trace(path)
    assert first.objects is not None and again.objects is not None
    assert first.objects.tolist() == again.objects.tolist() == [0, 1]
    path.write_text("page,op,kind,file\n10,R,file,x\n20,R,file,x\n")
    assert open_trace(path).digest != first.digest == again.digest
