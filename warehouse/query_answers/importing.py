"""`import_answers`: everything new under `answers/<center>/` into the log of queries.

A file that was read is kept in `vault/answers/<center>/<first 16 of its SHA-256>_<name>`, with its
problems beside it; by this copy it is known when it comes again. One that could not be read as a
whole is not kept: it is told at every import until somebody mends or removes it. The events are
appended before the copy is made: a crash between the two makes the file come again, and an
answer that is known already changes nothing.

Of a file that names a patient who has withdrawn only the other lines are kept, as CSV under the same name; the
file is told at every import until somebody removes it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from schemas.errors import CarmonyError, FileError, Place
from schemas.spec import load_spec, load_study
from transforms.harmonize.privacy_withdrawn import withdrawn_of
from transforms.read.source import shown, source_of
from warehouse.packet_files import write_closed
from warehouse.packet_lines import safe_for_csv
from warehouse.paths import StudyPaths, private_folder
from warehouse.queries import QueryLog
from warehouse.queries.transitions import answer
from warehouse.query_answers.days import Order
from warehouse.query_answers.problems import Problem, of_file, told
from warehouse.query_answers.read import AnswerFile, read_answers

# What became of a file, in `status`.
IMPORTED = "imported"  # its answers stand in the log
NOTHING_NEW = "nothing new"  # it was read, and holds no answer that is not known
KNOWN = "imported before"  # the very same bytes
STILL_THERE = (
    "imported before, and still there"  # such bytes, and they name a patient who has withdrawn
)
NOT_READ = "not read"  # the file as a whole was refused
ANSWERS_FOLDER = "answers"
_PASSED_OVER = re.compile(
    r"[.~].*|thumbs\.db|desktop\.ini", re.IGNORECASE
)  # of systems and editors
_UNSAFE = re.compile(r"[^\w.+-]+")
_PROBLEMS = ".problems.csv"  # beside the copy of a file
_WITHOUT = (
    ".without_withdrawn.csv"  # the other lines of a file that names a patient who has withdrawn
)


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of one file.

    Attributes:
        path: The file.
        status: `IMPORTED`, `NOTHING_NEW`, `KNOWN`, `STILL_THERE` or `NOT_READ`.
        center_id: Whose answers they are; None if that is not known.
        content: What was read; None for a file that is known already.
        problems: All that is wrong with it.
        n_events: Queries that it answered now.
        part: The part of the log that was added; None if none was.
        kept: The copy in the vault; None if none is kept.
    """

    path: Path
    status: str
    center_id: str | None
    content: AnswerFile | None = None
    problems: tuple[Problem, ...] = ()
    n_events: int = 0
    part: int | None = None
    kept: Path | None = None

    @property
    def message(self) -> str:
        """One sentence without values, for a terminal or a log."""
        name = shown(self.path.name)
        if self.content is None or self.status == KNOWN:
            return f"{name}: {self.status}"
        content = self.content
        if not content.n_lines:
            return f"{name}: {self.status}; no lines of queries"
        told_lines = (
            f"{content.n_lines} line(s): {content.answers.height} answer(s), "
            f"{content.n_repeated} known already, {content.n_unanswered} without an answer, "
            f"{content.n_refused} not taken"
        )
        return f"{name}: {self.status}; {told_lines}"


def import_answers(
    study_folder: Path, files: Iterable[Path] | None = None, *, at: dt.datetime | None = None
) -> list[ImportedFile]:
    """Takes returned workbooks into the log; for the holder of the study's lock.

    A file that cannot be read never stops the others. The same bytes a second time add nothing.

    Args:
        study_folder: The study.
        files: Files to take; default all under `answers/`, the oldest first.
        at: Now.

    Returns:
        One entry per file, in the order in which they were taken.

    Raises:
        StudyError: The log of queries, or `study.yaml`, cannot be read.
    """
    at = at or dt.datetime.now(dt.UTC)
    takes = _Importer(study_folder, QueryLog.read(study_folder), load_study(study_folder).id, at)
    chosen = _waiting(study_folder) if files is None else [Path(file) for file in files]
    return [takes.take(path, _center_of(path, study_folder)) for path in chosen]


def _waiting(study_folder: Path) -> list[Path]:
    """All files under `answers/`; links are not followed."""
    found = [
        (path.lstat().st_mtime_ns, str(path), path)
        for path in (study_folder / ANSWERS_FOLDER).rglob("*")
        if path.is_file() and not path.is_symlink() and not _PASSED_OVER.fullmatch(path.name)
    ]
    return [path for *_, path in sorted(found)]


def _center_of(path: Path, study_folder: Path) -> str | None:
    """The center in whose folder a file lies; None for a file from elsewhere."""
    folder = (study_folder / ANSWERS_FOLDER).resolve()
    try:
        parts = path.resolve().relative_to(folder).parts
    except ValueError:
        return None
    return parts[0] if len(parts) > 1 else None


@dataclass(frozen=True, slots=True)
class _Importer:
    """The way of a file into the log."""

    study_folder: Path
    log: QueryLog
    study_id: str
    at: dt.datetime

    @property
    def kept(self) -> Path:
        """Where the copies stand."""
        return StudyPaths(self.study_folder).vault / "answers"

    def take(self, path: Path, center_id: str | None) -> ImportedFile:
        """What becomes of a file."""
        try:
            sha256 = source_of(path).sha256()
        except FileError as error:
            return ImportedFile(path, NOT_READ, center_id, problems=(of_file(error),))
        known = self._copy_of(sha256)
        if known is not None and known.name.endswith(_WITHOUT):
            problem = told("WITHDRAWN_FILE", Place(shown(path.name)))
            center_id = known.parent.name
            return ImportedFile(path, STILL_THERE, center_id, problems=(problem,), kept=known)
        if known is not None:
            return ImportedFile(path, KNOWN, known.parent.name, kept=known)
        spec = self.study_folder / "centers" / f"{center_id}.yaml"
        if center_id is not None and not spec.is_file():
            problem = told("NO_SUCH_CENTER", Place(shown(path.name)))
            return ImportedFile(path, NOT_READ, center_id, problems=(problem,))
        content = read_answers(
            path,
            self.log.queries,
            center_id,
            study_id=self.study_id,
            events=self.log.events,
            date_order=_date_order(spec),
            today=self.at.date(),
            withdrawn_of=partial(withdrawn_of, self.study_folder),
        )
        if not content.is_read or content.center_id is None or content.sha256 != sha256:
            return ImportedFile(path, NOT_READ, content.center_id, content, content.problems)
        return self._enter(path, content)

    def _enter(self, path: Path, content: AnswerFile) -> ImportedFile:
        """The answers into the log, then the copy into the vault."""
        events, refused = answer(self.log.queries, content.answers, self.at)
        content = _without(content, refused)
        part = self.log.append("import", events) if events.height else None
        kept = self._keep(path, content)
        status = IMPORTED if events.height else NOTHING_NEW
        return ImportedFile(
            path, status, content.center_id, content, content.problems, events.height, part, kept
        )

    def _copy_of(self, sha256: str) -> Path | None:
        """The kept copy of a file with these bytes."""
        for path in sorted(self.kept.glob(f"*/{sha256[:16]}_*")):
            if path.name.endswith(_PROBLEMS):
                continue
            if path.name.endswith(_WITHOUT) or source_of(path).sha256() == sha256:
                return path
        return None

    def _keep(self, path: Path, content: AnswerFile) -> Path | None:
        folder = self.kept / str(content.center_id)
        for level in (self.kept.parent, self.kept, folder):
            private_folder(level)
        bytes_now = path.read_bytes()
        if hashlib.sha256(bytes_now).hexdigest() != content.sha256:
            return None  # written to meanwhile: it comes again, and what it said is known
        copy = folder / f"{content.sha256[:16]}_{_UNSAFE.sub('_', content.name)[-80:]}"
        if content.without is not None:
            copy = copy.with_name(copy.name + _WITHOUT)
            bytes_now = safe_for_csv(content.without).write_csv().encode()
        if content.problems:
            write_closed(copy.with_name(copy.name + _PROBLEMS), _as_csv(content.problems))
        write_closed(copy, bytes_now)
        return copy


def _date_order(spec: Path) -> Order:
    """How the center writes short dates; day first where its spec cannot be read."""
    if not spec.is_file():
        return "dmy"
    try:
        declared = load_spec(spec)
    except CarmonyError:
        return "dmy"
    if declared.dates.order == "ymd":  # of its exports; by hand people write as their country does
        return "mdy" if declared.center.country == "US" else "dmy"
    return declared.dates.order


def _without(content: AnswerFile, refused: Sequence[str]) -> AnswerFile:
    """The file without answers that the log of queries does not take; each is told as a problem."""
    if not refused:
        return content
    problems = []
    for text in refused:
        query_id, _, why = text.partition(": ")
        problems.append(told("NOT_TAKEN", Place(content.file), 1, (query_id,), what=why))
    ids = [problem.query_ids[0] for problem in problems]
    return replace(
        content,
        answers=content.answers.filter(~pl.col("query_id").is_in(ids)),
        problems=(*content.problems, *problems),
    )


def _as_csv(problems: Sequence[Problem]) -> bytes:
    rows = [
        {
            "code": problem.code,
            "sheet": problem.place.sheet,
            "row": problem.place.row,
            "column": problem.place.column,
            "query_id": " ".join(problem.query_ids),
            "problem": problem.problem,
            "what_to_do": problem.fix,
            "lines_not_taken": problem.n_lines,
        }
        for problem in problems
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return safe_for_csv(frame.cast({"column": pl.String, "sheet": pl.String})).write_csv().encode()
