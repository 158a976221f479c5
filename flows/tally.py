"""Counts of a staged delivery, and what it lost against the center's last good state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from schemas.errors import FileError, Place
from schemas.staging import CHECK_RUN, FINDING, FINDING_FIELD

_ALIKE = "withdrawn_alike"  # transforms.harmonize.privacy_withdrawn: importing it costs every run
SHRINK_RULE = "STR-12"
SHRINK_LIMIT = 0.20  # a larger share of lost patients holds the delivery


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of the files, canonical rows by fate, and findings by severity."""

    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    rows_excluded: int
    errors: int
    warnings: int
    rows_alike: int = 0


def tally(staged: Path) -> Tally:
    """Counts a staged delivery from its own ledger and findings."""
    ledger = pl.read_parquet(staged / "ledger.parquet", glob=False)
    findings = pl.read_parquet(staged / "finding.parquet", columns=["severity"], glob=False)

    def rows(step: str, outcome: str) -> int:
        chosen = (pl.col("outcome") == outcome) & (pl.col("step") == step)
        return int(ledger.filter(chosen)["n_rows"].sum())

    severity = findings["severity"]
    return Tally(
        rows("read", "in"),
        rows("check", "out"),
        rows("check", "quarantined"),
        # Empty repeats, which the step 'map' counts as excluded, are no rows of anybody.
        rows("read", "excluded") + rows("check", "excluded"),
        int((severity == "error").sum()),
        int((severity == "warning").sum()),
        int(ledger.filter(pl.col("reason") == _ALIKE, pl.col("step") == "read")["n_rows"].sum()),
    )


def patients(staged: Path) -> pl.Series:
    """Ids of all patients of a staged delivery, held-back ones included, sorted."""
    frames = [
        pl.read_parquet(path, columns=["patient_id"], glob=False)
        for part in ("core", "quarantine")
        if (path := staged / part / "subject.parquet").is_file()
    ]
    if not frames:
        return pl.Series("patient_id", [], dtype=pl.String)
    return pl.concat(frames)["patient_id"].drop_nulls().unique().sort()


def check_anyone_left(staged: Path, names: Collection[str], *, alone: bool, name: str) -> None:
    """Refuses a delivery that leaves nobody of its center: its patients are not gone.

    Args:
        staged: the new staged delivery.
        names: the spec's sources of the table `subject`.
        alone: the delivery is all that would stand of its center. Of one that adds to others
            only files of which no row could be read are refused.
        name: what the delivery is called in messages.

    Raises:
        FileError: NO_ROWS, every row of the files with the patients was rejected; ALL_HELD, every
            one was held back by rules or left out.
    """
    ledger = pl.read_parquet(staged / "ledger.parquet", glob=False)
    # A block without rows is not in column_map.parquet: the names lead to its sources.
    read = pl.read_parquet(staged / "source.parquet", columns=["source_id", "name"], glob=False)
    sources = read.filter(pl.col("name").is_in(list(names)))["source_id"]
    about = pl.col("table").is_null() | (pl.col("table") == "subject")
    rows = ledger.filter(about, pl.col("source_id").is_in(sources.implode()))
    went = pl.col("outcome")
    lost = rows.filter(went.is_in(["quarantined", "excluded"]))
    unread = lost.filter(pl.col("step") == "read", went == "quarantined")
    if _number(rows, "check", "out") or not lost.height:
        return
    if unread.height and not _number(rows, "map", "in"):
        raise FileError(
            "NO_ROWS",
            Place(name),
            f"no row with a patient could be read: {unread['n_rows'].sum()} rows were rejected "
            f"({_told(unread)}); the earlier state stays",
            fix="the findings for the center stand in vault/packets and name each row; correct the spec "
            "(delimiter, quotes), or ask the center to export again",
        )
    if alone:
        raise FileError(
            "ALL_HELD",
            Place(name),
            f"all {lost['n_rows'].sum()} rows with a patient are held back or left out "
            f"({_told(lost)}); the earlier state stays",
            fix="the findings for the center stand in vault/packets and name each row; correct the spec "
            "(a wrong column, date order, code list or `where`), or ask the center to correct the rows",
        )


def _number(rows: pl.DataFrame, step: str, outcome: str) -> int:
    return int(
        rows.filter(pl.col("step") == step, pl.col("outcome") == outcome)["n_rows"].sum() or 0
    )


def _told(rows: pl.DataFrame) -> str:
    """Reasons and how many rows each took: `DAT-24 3, STR-04 1`."""
    reasons = rows.group_by("reason").agg(pl.col("n_rows").sum()).sort("reason")
    return ", ".join(f"{reason} {n}" for reason, n in reasons.iter_rows())


def check_shrink(staged: Path, earlier: Path | None, *, accepted: bool, name: str) -> int:
    """Compares the patients of a delivery with those of the center's last good state (STR-12).

    Each missing patient becomes a finding of the staged delivery; the rule's outcome is recorded.

    Args:
        staged: the new staged delivery; its findings are extended.
        earlier: the staged delivery that it replaces; None where there is nothing to compare.
        accepted: a data manager has said that the patients are gone.
        name: what the delivery is called in messages.

    Returns:
        The number of missing patients.

    Raises:
        FileError: SHRINK, more than a fifth of the patients are missing and nobody accepted it.
    """
    if earlier is None:
        _record(staged, "not_applicable", 0, 0, "no earlier delivery that this one replaces")
        return 0
    before = patients(earlier)
    missing = before.filter(~before.is_in(patients(staged).implode()))
    total = len(before)
    _add_findings(staged, missing)
    _record(staged, "failed" if len(missing) else "passed", len(missing), total, None)
    if len(missing) and len(missing) > SHRINK_LIMIT * total and not accepted:
        raise FileError(
            "SHRINK",
            Place(name),
            f"{len(missing)} of {total} patients of the earlier delivery are missing; "
            "the delivery is held and the earlier state stays",
            fix="ask the center (a filter left on in Excel is the usual cause); if they are really "
            "gone, run again with --accept-fewer and the center's id; vault/packets names the patients",
        )
    return len(missing)


def check_reading(staged: Path, reading: Path | None, *, accepted: bool, name: str) -> int:
    """Compares a delivery that is read again with its own last reading: the files are the same.

    Args:
        staged: the new staged delivery.
        reading: the same delivery as it was read last; None if it never was.
        accepted: a data manager has said that it is right so.
        name: what the delivery is called in messages.

    Returns:
        The number of patients that the last reading had and this one has not.

    Raises:
        FileError: SHRINK, more than a fifth of the patients are lost and nobody accepted it.
    """
    if reading is None:
        return 0
    before = patients(reading)
    lost = len(before.filter(~before.is_in(patients(staged).implode())))
    if lost and lost > SHRINK_LIMIT * len(before) and not accepted:
        raise FileError(
            "SHRINK",
            Place(name),
            f"read anew, the delivery loses {lost} of the {len(before)} patients that its last "
            "reading had; it is held and the earlier state stays",
            fix="look at what was changed in the spec or in study.yaml; if it is right, run again "
            "with --accept-fewer and the center's id",
        )
    return lost


def _add_findings(staged: Path, missing: pl.Series) -> None:
    findings = pl.read_parquet(staged / "finding.parquet", glob=False)
    fields = pl.read_parquet(staged / "finding_field.parquet", glob=False)
    first = findings.select(pl.col("finding_id").max().fill_null(0)).item() + 1
    ids = pl.int_range(first, first + len(missing), dtype=pl.Int64, eager=True)
    message = (
        "This patient was in the earlier delivery and is not in this one. "
        "Was the patient withdrawn? If not, please send the record again."
    )
    new = pl.DataFrame({"finding_id": ids, "patient_id": missing}).with_columns(
        rule_id=pl.lit(SHRINK_RULE),
        severity=pl.lit("warning"),
        disposition=pl.lit("keep_query"),
        scope=pl.lit("file"),
        table=pl.lit("subject"),
        message=pl.lit(message),
    )
    field = pl.DataFrame({"finding_id": ids, "value": missing}).with_columns(
        position=pl.lit(1, dtype=pl.Int16), table=pl.lit("subject"), column=pl.lit("patient_id")
    )
    _replace(staged / "finding.parquet", _append(findings, new, FINDING))
    _replace(staged / "finding_field.parquet", _append(fields, field, FINDING_FIELD))


def _append(old: pl.DataFrame, new: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    absent = [pl.lit(None, dtype=t).alias(c) for c, t in schema.items() if c not in new.columns]
    whole = new.with_columns(absent).select(schema.names()).cast(dict(schema))  # type: ignore[arg-type]
    return pl.concat([old, whole])


def _record(staged: Path, outcome: str, failing: int, total: int, reason: str | None) -> None:
    """Writes the rule's outcome over what the stage could not know."""
    path = staged / "check_run.parquet"
    others = pl.read_parquet(path, glob=False).filter(pl.col("rule_id") != SHRINK_RULE)
    line = pl.DataFrame(
        [[SHRINK_RULE, "warning", "subject", outcome, failing, total, reason]],
        schema=CHECK_RUN,
        orient="row",
    )
    _replace(path, pl.concat([others, line]))


def _replace(path: Path, frame: pl.DataFrame) -> None:
    part = path.with_suffix(".part")
    frame.write_parquet(part)
    part.replace(path)
