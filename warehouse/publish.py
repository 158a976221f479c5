"""Puts a finished warehouse in the place of the published one, in one step.

Readers that have the old file open keep it; whoever opens the path next gets the new one. A process
that is killed anywhere in here leaves the old file or the new one, never anything else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from schemas.errors import AuditStoppedError, StudyError
from warehouse import readback as readback_script
from warehouse.paths import StudyPaths, fsync_path, replace_durably

KEEP_HISTORY = 10
_MODE = 0o640  # analysts read it through their group; the vault is closed to them


def publish(
    staged_file: Path,
    study_folder: Path,
    *,
    keep_history: int = KEEP_HISTORY,
    replaces_damaged: bool = False,
) -> str:
    """Publishes a built warehouse and gives its content hash.

    Call it under the study's lock, after the audit. The file's own load id says which load it is.

    Args:
        staged_file: The file of `build_study`, closed; it is moved.
        study_folder: The study.
        keep_history: How many earlier published files are kept.
        replaces_damaged: The published file is not what was published (`soundness.fault_of`): it is
            neither read nor kept.

    Raises:
        AuditStoppedError: What a fresh process reads is not what was written.
        StudyError: A write-ahead log stands beside one of the files, or a newer load is published.
    """
    paths = StudyPaths(study_folder)
    written = _seal(staged_file)
    _refuse_wal(staged_file)
    _refuse_wal(paths.warehouse)
    sound = paths.warehouse.is_file() and not replaces_damaged
    published = [paths.warehouse] if sound else []
    read = _read_in_fresh_process([staged_file, *published])
    if read[str(staged_file)] != written:
        raise AuditStoppedError(
            f"Load {written['load_id']}: a fresh process reads other rows than were written "
            f"({_first_difference(written, read[str(staged_file)])}).",
            fix="run again; if it happens twice, check the disk and report the DuckDB version",
        )
    for path in published:
        earlier = read[str(path)]["load_id"]
        if earlier >= written["load_id"]:
            raise StudyError(
                f"Load {earlier} is published already; load {written['load_id']} is older.",
                fix="run again: a new load gets a higher number",
            )
        _keep(path, paths.history, earlier, keep_history)
    staged_file.chmod(_MODE)
    replace_durably(staged_file, paths.warehouse)
    return content_of(written)


def content_hash(path: Path) -> str:
    """Hash over all tables and views of a warehouse but load numbers, times and versions.

    Two loads of the same deliveries under the same key have the same one, however they were run.
    """
    return content_of(_read_in_fresh_process([path])[str(path)])


def content_of(fingerprint: dict[str, Any]) -> str:
    """The content hash of a fingerprint of `readback`."""
    digest = hashlib.sha256()
    for table, entry in sorted(fingerprint["tables"].items()):
        digest.update(
            json.dumps([table, entry["columns"], entry["rows"], entry["content"]]).encode()
        )
    digest.update(json.dumps(fingerprint["views"], sort_keys=True).encode())
    return digest.hexdigest()


def _seal(staged_file: Path) -> dict[str, Any]:
    """Writes everything into the one file, and hashes it as the writer sees it."""
    import duckdb

    con = duckdb.connect(str(staged_file), config={"memory_limit": "1GB"})
    try:
        written = {
            **readback_script.fingerprint(con),
            "load_id": readback_script.load_id(con),
        }
        con.execute("CHECKPOINT").fetchall()
    finally:
        con.close()
    return written


def _refuse_wal(path: Path) -> None:
    wal = Path(f"{path}.wal")
    if wal.exists():
        raise StudyError(
            f"'{wal.name}' stands beside '{path.name}': another program has written into the "
            "warehouse, or was killed while it did.",
            fix="close programs that have the file open for writing, move the .wal file away, and "
            "run again; nothing was published",
        )


def _read_in_fresh_process(paths: list[Path]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-I", str(Path(readback_script.__file__)), *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AuditStoppedError(
            "A fresh process cannot read the warehouse: "
            + (done.stderr.strip().splitlines() or ["it was killed"])[-1][:300],
            fix="nothing was published; run again, and check the disk if it happens twice",
        )
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def _first_difference(written: dict[str, Any], read: dict[str, Any]) -> str:
    for table, entry in written["tables"].items():
        if read["tables"].get(table) != entry:
            found = read["tables"].get(table, {}).get("rows", 0)
            return f"table {table}: {entry['rows']} row(s) written, {found} read"
    return "the tables are the same, the views or the load are not"


def _keep(published: Path, history: Path, load_id: int, keep: int) -> None:
    """The published file under the name of its load; the oldest beyond `keep` are removed."""
    history.mkdir(parents=True, exist_ok=True)
    target = history / f"{load_id:06d}.duckdb"
    if not target.exists():
        temporary = target.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        try:
            os.link(published, temporary)
        except OSError:  # a file system without hard links
            shutil.copyfile(published, temporary)
            temporary.chmod(_MODE)
            fsync_path(temporary)
        temporary.replace(target)
        fsync_path(history)
    for old in sorted(history.glob("*.duckdb"))[:-keep]:
        old.unlink()
