"""Where things stand in a study folder, and who may read them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import StudyError


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """The paths of one study."""

    root: Path

    @property
    def settings(self) -> Path:
        """`study.yaml`."""
        return self.root / "study.yaml"

    @property
    def inbox(self) -> Path:
        """Deliveries as they come: `inbox/<center>/<YYYY-MM-DD>`."""
        return self.root / "inbox"

    @property
    def answers(self) -> Path:
        """Answered workbooks as they come back: `answers/<center>/`."""
        return self.root / "answers"

    @property
    def vault(self) -> Path:
        """What identifies: deliveries, staged rows, packets, key, logs. Mode 0700."""
        return self.root / "vault"

    @property
    def logs(self) -> Path:
        """Log files of runs, without values."""
        return self.vault / "log"

    @property
    def published(self) -> Path:
        """What analysts open."""
        return self.root / "published"

    @property
    def warehouse(self) -> Path:
        """The published warehouse."""
        return self.published / "warehouse.duckdb"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.published / "report"

    @property
    def quality(self) -> Path:
        """Folder of the audit's results."""
        return self.published / "quality"

    def spec(self, center_id: str) -> Path:
        """The spec of a center."""
        return self.root / "centers" / f"{center_id}.yaml"

    def deliveries(self, center_id: str) -> Path:
        """The immutable copies of a center's deliveries."""
        return self.vault / "deliveries" / center_id

    def staged(self, center_id: str) -> Path:
        """The staged deliveries of a center."""
        return self.vault / "staged" / center_id


def open_study_folder(path: Path) -> StudyFolder:
    """The study at `path`, its vault closed to others.

    Raises:
        StudyError: there is no study, one of its folders is a link, the vault is open to others, or it
            cannot be written.
    """
    folder = StudyFolder(path.resolve())
    if not folder.settings.is_file():
        raise StudyError(
            f"'{path}' is no study: it has no study.yaml.",
            fix=f"give the folder of a study, or make an empty one with: carmony init {path}",
        )
    refuse_links(folder)
    _refuse_open_vault(folder)
    try:
        make_private(folder.vault)
        make_private(folder.logs)
    except OSError as error:
        raise StudyError(
            f"The vault of the study cannot be written: {error.strerror} ('{folder.vault}').",
            fix="run as the person who owns the study folder, or correct its permissions",
        ) from error
    return folder


def refuse_links(folder: StudyFolder) -> None:
    """No folder of a study leads elsewhere: what is renamed into its place has to stand on one disk with it.

    Raises:
        StudyError: one of the folders is a symbolic link.
    """
    for path in (folder.vault, folder.published, folder.inbox):
        if path.is_symlink():
            raise StudyError(
                f"The folder '{path.name}' of the study is a symbolic link; links are not followed.",
                fix="put the folder itself there: move the whole study to the other disk, or mount that "
                f"disk at '{path}'",
            )


def _refuse_open_vault(folder: StudyFolder) -> None:
    """Others may have read names by now: that is to be known, not to be mended in silence."""
    wrong, mend = [], []
    for path, mode in ((folder.vault, 0o700), (folder.vault / "pseudonym.key", 0o600)):
        try:
            found = path.stat()
        except OSError:
            continue  # not there yet, or not ours to read: that has its own message
        name = path.relative_to(folder.root).as_posix()
        if found.st_mode & 0o077:
            wrong.append(f"{name} has mode {found.st_mode & 0o777:04o}")
            mend.append(f"chmod {mode:o} {path}")
        elif os.geteuid() not in (0, found.st_uid):
            wrong.append(f"{name} belongs to another user")
            mend.append(f"chown -R {os.geteuid()} {path}")
    key = folder.vault / "pseudonym.key"
    if kind := _link_kind(key):
        wrong.append(f"vault/{key.name} is a {kind} link, so the key stands elsewhere too")
        mend.append(f"cp {key} {key}.own && chmod 600 {key}.own && mv {key}.own {key}")
    if wrong:
        raise StudyError(
            f"The vault is not closed to others: {'; '.join(wrong)}. No delivery is read.",
            fix=f"find out who could read it, then: {' && '.join(mend)}",
        )


def _link_kind(key: Path) -> str:
    """`symbolic` or `hard` if the key can be read under another name; else nothing."""
    if key.is_symlink():
        return "symbolic"
    # While a key is made it has a second name in the vault, which a killed command leaves there.
    return "hard" if all(_other_names(key) for _ in range(2)) else ""


def _other_names(key: Path) -> bool:
    own = list(key.parent.glob(f".{key.name}.*"))
    try:
        found = key.stat()
    except OSError:
        return False
    return found.st_nlink - 1 > sum(_is_same(path, found) for path in own)


def _is_same(path: Path, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), found)
    except OSError:
        return False


def make_private(path: Path) -> Path:
    """A folder that only its owner can enter."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


@contextmanager
def private_files() -> Iterator[None]:
    """What is written inside the block is readable by its owner alone, unless it is opened up."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file in one step: readers see the old one or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def open_to_readers(folder: Path) -> None:
    """Lets the folder's group read it: analysts read what is published, the vault stays closed."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o750 if path.is_dir() else 0o640)
