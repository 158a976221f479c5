"""Whether the files of published states hold what was published: compared by content with the load log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.errors import CarmonyError
from warehouse.connect import published_load
from warehouse.loads import PUBLISHED, Load, LoadLog
from warehouse.paths import StudyPaths
from warehouse.publish import content_hash

OTHER = "DIFFERS"


def file_problems(study_folder: Path) -> list[str]:
    """What is wrong with the published file and the kept earlier ones; empty if each holds its load.

    Every table of every file is read. A state that another version of DuckDB wrote is not compared,
    and said to be so by `not_compared`.
    """
    found = []
    for path, load in _files(study_folder):
        shown = path.relative_to(study_folder)
        if load is None:
            found.append(f"{shown} is not the file of a published load")
        elif is_comparable(load) and (what := difference(path, load)):
            found.append(f"{shown} {what}")
    return found


def not_compared(study_folder: Path) -> list[str]:
    """Files whose content cannot be compared, by their path in the study."""
    return [
        str(path.relative_to(study_folder))
        for path, load in _files(study_folder)
        if load is not None and not is_comparable(load)
    ]


def difference(path: Path, load: Load) -> str:
    """How the file of a state differs from what its load published, as the end of a sentence; else nothing."""
    try:
        now = content_hash(path)
    except CarmonyError:
        return (
            f"cannot be read as load {load.load_id} was written: its bytes are damaged or changed"
        )
    if now == load.content_hash:
        return ""
    return (
        f"{OTHER} from what load {load.load_id} published: rows, columns or views were changed "
        "after it; restore the study from a backup, or build the state again (history --rebuild)"
    )


def file_of(study_folder: Path, load_id: int) -> Path | None:
    """The file that stands for a published state: the published one, or a kept one; None if it is gone."""
    return next(
        (path for path, load in _files(study_folder) if load and load.load_id == load_id), None
    )


def is_comparable(load: Load) -> bool:
    """Whether the hash of the load is of this version of DuckDB; its hashes are its own."""
    import duckdb

    return load.versions.get("duckdb", duckdb.__version__) == duckdb.__version__


def _files(study_folder: Path) -> Iterator[tuple[Path, Load | None]]:
    """Published file first, then the kept ones, each with its load; None where there is no such load."""
    paths = StudyPaths(study_folder)
    log = LoadLog.read(study_folder)
    loads = {
        load.load_id: load for load in log.loads if load.outcome == PUBLISHED and load.content_hash
    }
    # A run that was killed once its file stood there: the next one notes what it published.
    running = {load.load_id for load in log.loads if load.outcome == "running"}
    if paths.warehouse.is_file():
        number = _published(study_folder, loads)
        if number not in running:
            yield paths.warehouse, loads.get(number)
    for path in sorted(paths.history.glob("*.duckdb")):
        yield path, loads.get(int(path.stem) if path.stem.isdecimal() else 0)


def _published(study_folder: Path, loads: dict[int, Load]) -> int:
    """The load that should stand published; what the file says of itself is compared with its content."""
    import duckdb

    try:
        return published_load(study_folder) or 0
    except (duckdb.Error, CarmonyError):
        return max(loads, default=0)
