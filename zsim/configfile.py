"""The keys of `file.*`: page-cache pages, and what becomes of those that are written."""

from dataclasses import dataclass

from zsim.configkey import key


@dataclass(frozen=True)
class FileConfig:
    """Page-cache pages of the trace."""

    device: str = key("nvme", "the filesystem's device: evicted file pages are read from it again")
    track_dirty: bool = key(
        False,
        "files are mapped shared: the first write to a clean page faults, and a dirty one stays until flusher threads "
        "have written it; false: writes cost nothing, and what is dirty has been written when reclaim meets it",
    )
    dirty_background_ratio: int = key(
        10,
        "vm.dirty_background_ratio, with file.track_dirty: flusher threads write from here on",
        "%",
        at_least=0,
        at_most=100,
    )
    dirty_ratio: int = key(
        20, "vm.dirty_ratio, with file.track_dirty: most that should be dirty", "%", at_least=0, at_most=100
    )
