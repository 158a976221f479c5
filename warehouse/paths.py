"""Where things stand in a study folder, and how files are written so that a crash leaves no half."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StudyPaths:
    """The files of a study that the warehouse owns."""

    folder: Path

    @property
    def vault(self) -> Path:
        """Identified and restricted: only data managers read it."""
        return self.folder / "vault"

    @property
    def load_log(self) -> Path:
        """One JSON line per event of a load."""
        return self.vault / "log" / "loads.jsonl"

    @property
    def lock(self) -> Path:
        """The file whose lock lets one load run at a time."""
        return self.vault / ".lock"

    @property
    def key(self) -> Path:
        """The secret key of the pseudonyms."""
        return self.vault / "pseudonym.key"

    @property
    def id_map(self) -> Path:
        """Which local id has which pseudonym."""
        return self.vault / "id_map.parquet"

    def packet(self, center_id: str, delivery_id: str, received_on: dt.date) -> Path:
        """The folder with the file of findings for a center; its name begins with the day."""
        return self.vault / "packets" / center_id / f"{received_on.isoformat()}_{delivery_id}"

    @property
    def queries(self) -> Path:
        """The log of queries: one Parquet file per transaction."""
        return self.vault / "queries"

    @property
    def study_findings(self) -> Path:
        """Findings over all centers of the last build, each with the ids of its own center."""
        return self.vault / "study_findings"

    @property
    def published(self) -> Path:
        """What analysts may read."""
        return self.folder / "published"

    @property
    def warehouse(self) -> Path:
        """The published warehouse."""
        return self.published / "warehouse.duckdb"

    @property
    def history(self) -> Path:
        """Earlier published warehouses, named by their load."""
        return self.published / "history"

    def building(self, load_id: int) -> Path:
        """The file that a load builds; it stands on the same file system as the published one."""
        return self.published / ".building" / f"{load_id:06d}.duckdb"


def private_folder(folder: Path) -> Path:
    """The folder, made if need be, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def fsync_path(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_durably(temporary: Path, target: Path) -> None:
    """Put a finished file in the place of `target` in one step that survives a power cut."""
    fsync_path(temporary)
    temporary.replace(target)
    fsync_path(target.parent)
