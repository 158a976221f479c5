"""Takes one patient out of everything in the vault that is made from deliveries.

Staged rows are filtered where they stand: the rows go, and the ledger of the delivery says that so
many were excluded as `withdrawn`, so that it balances. Findings, queries and the id map lose the
patient's lines. The delivered files are not touched here (`flows/forget.py` names or deletes them).
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from schemas.staging import LEDGER
from transforms.harmonize.privacy_withdrawn import (
    REASON,
    Withdrawn,
    read_marks,
    stands_by_chance,
    withdrawn_file,
)
from warehouse.paths import StudyPaths, replace_durably

_KEPT = {"compression": "zstd", "statistics": False}
_PARTS = {
    "core": "out",
    "quarantine": "quarantined",
}  # folder of rows → their outcome in the ledger


@dataclass(slots=True)
class Removed:
    """What was taken out of the vault."""

    rows: int = 0
    findings: int = 0
    queries: int = 0
    ids: int = 0
    deliveries: set[str] = field(default_factory=set)  # whose staged rows held the patient

    @property
    def anything(self) -> bool:
        """True if something was taken out."""
        return bool(self.rows or self.findings or self.queries or self.ids)


def set_tombstone(study_folder: Path, withdrawn: Withdrawn, patient_id: str) -> list[str]:
    """Adds the patient's tombstone, and the mark of ids spelled alike; returns both."""
    marks = [withdrawn.mark(patient_id), withdrawn.alike(patient_id)]
    add_marks(study_folder, {withdrawn.center_id: marks})
    return marks


def add_marks(study_folder: Path, new: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """Adds marks to `vault/withdrawn.json`; returns those that did not stand there, by center."""
    marks = read_marks(study_folder)
    added = {
        center: sorted(set(found) - set(marks.get(center, []))) for center, found in new.items()
    }
    added = {center: found for center, found in added.items() if found}
    for center, found in added.items():
        marks.setdefault(center, []).extend(found)
    if added:
        _keep_marks(study_folder, marks)
    return added


def _keep_marks(study_folder: Path, marks: Mapping[str, list[str]]) -> None:
    path = withdrawn_file(study_folder)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(marks, file, indent=1, sort_keys=True)
    replace_durably(temporary, path)


def ids_of(study_folder: Path, center_id: str) -> set[tuple[str, str]]:
    """Center and id of every patient that the id map knows, and of those in the staged rows of a center."""
    path = StudyPaths(study_folder).id_map
    frame = (
        read_staged(path).select("center_id", "patient_id").drop_nulls() if path.is_file() else None
    )
    known = set(frame.iter_rows()) if frame is not None else set()
    for folder in staged_folders(study_folder, center_id):
        for file in _identified(folder):
            ids = read_staged(file)["patient_id"].drop_nulls().unique()
            known |= {(center_id, one) for one in ids}
    return known


def is_known(study_folder: Path, center_id: str, patient_id: str) -> bool:
    """Whether the vault holds anything of the patient but delivered files."""
    paths = StudyPaths(study_folder)
    mine = (pl.col("center_id") == center_id) & (pl.col("patient_id") == patient_id)
    if paths.id_map.is_file():
        found = pl.read_parquet(paths.id_map, glob=False).filter(mine).height
        if found:
            return True
    return any(
        (read_staged(path)["patient_id"] == patient_id).any()
        for folder in staged_folders(study_folder, center_id)
        for path in _identified(folder)
    )


def remove_patient(study_folder: Path, center_id: str, patient_id: str) -> Removed:
    """Removes a patient from staged rows, queries and id map; for the holder of the study's lock.

    Args:
        study_folder: The study.
        center_id: The patient's center.
        patient_id: The center's own id, as it stands in the staged rows.
    """
    removed = Removed()
    for folder in staged_folders(study_folder, center_id):
        before = removed.rows + removed.findings
        _clean_staged(folder, patient_id, removed)
        if removed.rows + removed.findings > before:
            removed.deliveries.add(folder.name.partition("-")[0])
    paths = StudyPaths(study_folder)
    removed.queries = _clean_queries(paths.queries, center_id, patient_id)
    mine = (pl.col("center_id") == center_id) & (pl.col("patient_id") == patient_id)
    if paths.id_map.is_file():
        id_map = read_staged(paths.id_map)
        kept = id_map.filter(~mine)
        removed.ids = id_map.height - kept.height
        if removed.ids:
            write_staged(kept, paths.id_map)
    return removed


def staged_folders(study_folder: Path, center_id: str) -> list[Path]:
    """All staged deliveries of a center, those that are history too."""
    home = StudyPaths(study_folder).vault / "staged" / center_id
    return sorted(path for path in home.glob("*") if (path / "ledger.parquet").is_file())


def _identified(folder: Path) -> Iterator[Path]:
    for part in _PARTS:
        yield from sorted((folder / part).glob("*.parquet"))
    yield folder / "finding.parquet"


def _clean_staged(folder: Path, patient_id: str, removed: Removed) -> None:
    """Takes the patient out of one staged delivery; what was interrupted goes on where it was.

    What tells of the rows goes first, the rows themselves next, and the ledger last: it is made to fit
    the rows that are left, however many commands it took.
    """
    hit: dict[Path, pl.Series] = {}
    for part in _PARTS:
        for path in sorted((folder / part).glob("*.parquet")):
            named = read_staged(path, ["patient_id", "row_id"])
            hit[path] = named.filter(pl.col("patient_id") == patient_id)["row_id"]
    ids = pl.concat([pl.Series("row_id", dtype=pl.Int64()), *hit.values()]).unique()
    removed.rows += sum(found.len() for found in hit.values())
    address = folder / "address.parquet"
    if ids.len() and address.is_file():
        write_staged(read_staged(address).filter(~pl.col("row_id").is_in(ids.implode())), address)
    removed.findings += _clean_findings(folder, patient_id)
    for path in (path for path, found in hit.items() if found.len()):
        write_staged(read_staged(path).filter(pl.col("patient_id").ne_missing(patient_id)), path)
    ledger = read_staged(folder / "ledger.parquet")
    fitted = _fitted(ledger, list(hit))
    if not fitted.equals(ledger):
        write_staged(fitted, folder / "ledger.parquet")


def _fitted(ledger: pl.DataFrame, files: Collection[Path]) -> pl.DataFrame:
    """The ledger with rows that are no longer in these files of rows counted as withdrawn."""
    told = ledger.filter(pl.col("step") == "check")
    for path in files:
        outcome, table = _PARTS[path.parent.name], path.stem
        counted = told.filter(pl.col("table") == table, pl.col("outcome") == outcome)
        left = dict(read_staged(path, ["source_id"])["source_id"].value_counts().iter_rows())
        for source_id, n in counted.group_by("source_id").agg(pl.col("n_rows").sum()).iter_rows():
            if n > left.get(source_id, 0):
                missing = n - left.get(source_id, 0)
                ledger = _moved(ledger, source_id, table, outcome, missing)
    return ledger


def _moved(ledger: pl.DataFrame, source_id: int, table: str, outcome: str, n: int) -> pl.DataFrame:
    """The ledger with n rows of the check's outcome counted as withdrawn instead."""
    lines = ledger.rows(named=True)
    left = n
    for line in lines:
        here = (line["step"], line["source_id"], line["table"], line["outcome"])
        if left and here == ("check", source_id, table, outcome):
            taken = min(left, line["n_rows"])
            line["n_rows"] -= taken
            left -= taken
    lines.append(
        {
            "step": "check",
            "source_id": source_id,
            "table": table,
            "outcome": "excluded",
            "reason": REASON,
            "n_rows": n - left,
        }
    )
    empty = ("quarantined", "excluded")
    lines = [line for line in lines if line["n_rows"] or line["outcome"] not in empty]
    return pl.DataFrame(lines, schema=LEDGER)


def _clean_findings(folder: Path, patient_id: str) -> int:
    path, fields_path = folder / "finding.parquet", folder / "finding_field.parquet"
    findings = read_staged(path)
    gone = findings.filter(pl.col("patient_id") == patient_id)["finding_id"]
    fields = read_staged(fields_path)
    # Another patient's finding may quote the id (the same person twice): only the text goes there.
    quoted = _quotes("value", patient_id)
    if gone.is_empty() and not fields.filter(quoted).height:
        return 0
    kept = ~pl.col("finding_id").is_in(gone.implode())
    write_staged(findings.filter(kept), path)
    fields = fields.filter(kept).with_columns(
        pl.when(quoted).then(None).otherwise("value").alias("value"),
        pl.when(_quotes("understood", patient_id))
        .then(None)
        .otherwise("understood")
        .alias("understood"),
    )
    write_staged(fields, fields_path)
    return gone.len()


def _quotes(cell: str, patient_id: str) -> pl.Expr:
    """Whether a cell quotes the id; one that may be a number or a word as well, where ids stand only."""
    same = pl.col(cell).str.strip_chars() == patient_id
    if not stands_by_chance(patient_id):
        return same
    return same & (pl.col("column").fill_null("patient_id") == "patient_id")


def _clean_queries(folder: Path, center_id: str, patient_id: str) -> int:
    """Every event of the patient's queries; a part may be left without events."""
    parts = {path: read_staged(path) for path in sorted(folder.glob("*.parquet"))}
    mine = (pl.col("center_id") == center_id) & (pl.col("patient_id") == patient_id)
    ids = {query for frame in parts.values() for query in frame.filter(mine)["query_id"]}
    for path, frame in parts.items():
        kept = frame.filter(~pl.col("query_id").is_in(sorted(ids)))
        if kept.height < frame.height:
            write_staged(kept, path)
    return len(ids)


def read_staged(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """A file of the vault that may be written anew: nothing of it stays mapped into memory."""
    return pl.read_parquet(path, columns=columns, glob=False, memory_map=False)


def write_staged(frame: pl.DataFrame, path: Path) -> None:
    """The file in the place of the old one, readable by its owner alone."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        frame.write_parquet(file, **_KEPT)  # type: ignore[arg-type]
    replace_durably(temporary, path)
