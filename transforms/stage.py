"""One delivery of one center: read → map → check → a staged folder of Parquet files.

Pure and idempotent: the same delivery and spec give the same files. The folder appears whole or not
at all. What is returned and what is written to `summary.json` are counts, hashes and sentences
without values.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from schemas.catalog import Catalog, load_catalog
from schemas.check import Checker, CheckOutcome
from schemas.check_data import CheckFacts
from schemas.check_findings import MOST_FINDINGS, TooManyFindingsError
from schemas.delivery import Delivery
from schemas.errors import FileError, Place
from schemas.spec import CenterSpec, Study
from schemas.staging import ADDRESS
from transforms.harmonize.mapping import Mapping as DeliveryMapping
from transforms.harmonize.plan import MappingPlan, plan_delivery
from transforms.harmonize.privacy_withdrawn import withdrawn_of
from transforms.row_file import RowFile, without_rows, write_files


def process_center(
    spec: CenterSpec, delivery: Delivery, out_dir: Path, study: Study
) -> dict[str, Any]:
    """Stages a delivery into `out_dir` (see `schemas.staging`).

    Args:
        spec: The center's spec.
        delivery: The files, immutable.
        out_dir: Folder to make; replaced if it exists. Private to its owner.
        study: Settings that rules and derivations read.

    Returns:
        Counts, hashes and notes, as in `summary.json`.

    Raises:
        SpecError, FileError: The delivery does not fit the spec or cannot be read; nothing is left.
    """
    catalog = load_catalog()
    work = out_dir.with_name(out_dir.name + ".tmp")
    shutil.rmtree(work, ignore_errors=True)
    for folder in (work, work / "core", work / "quarantine"):
        folder.mkdir(mode=0o700, parents=True)
    try:
        summary = _stage(spec, delivery, work, study, catalog)
    except TooManyFindingsError as error:
        shutil.rmtree(work, ignore_errors=True)
        raise _too_many(spec, delivery, error.table) from None
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(out_dir, ignore_errors=True)
    work.replace(out_dir)
    return summary


def _too_many(spec: CenterSpec, delivery: Delivery, table: str) -> FileError:
    """The message, with the files that the spec reads for the table."""
    files = sorted(
        {spec.sources[block.source].file for block in spec.tables if block.table == table}
    )
    return FileError(
        "TOO_MANY_FINDINGS",
        Place(", ".join(files) or delivery.delivery_id),
        f"more than {MOST_FINDINGS:,} findings in the delivery, the last of them in table '{table}': "
        "nearly every row is wrong, or the same rows stand there again and again",
        fix="correct the center's spec (a wrong column, unit, code list or date order), or ask the center to "
        "look at its export; what was loaded before stays",
    )


def _stage(
    spec: CenterSpec, delivery: Delivery, work: Path, study: Study, catalog: Catalog
) -> dict[str, Any]:
    plan = plan_delivery(spec, delivery, catalog)
    plan.withdrawn = withdrawn_of(study.folder, spec.center.id)
    mapping = DeliveryMapping(plan)
    facts = CheckFacts(
        spec.center.id,
        spec.center.country,
        plan.export_date,
        study.data_cut,
        dates_shifted=spec.dates.shifted,
        bridge_days=study.settings.bridge_days,
        responses_past_next_line=study.settings.best_response_window in ("until_pd", "any_time"),
    )
    checker = Checker(catalog, facts, _derived(study))
    address: list[pl.DataFrame] = []
    held: dict[str, list[pl.DataFrame]] = {}
    streams: dict[str, RowFile] = {}
    try:
        for batch in mapping.batches():
            if batch.address.height:
                address.append(batch.address)
            verdict = checker.add(batch)
            if verdict is not None:
                if batch.table not in streams:
                    path = work / "core" / f"{batch.table}.parquet"
                    streams[batch.table] = RowFile(path, verdict.kept.schema)
                streams[batch.table].add(verdict.kept)
                held.setdefault(batch.table, []).append(verdict.held)
        for file in streams.values():
            file.close()
    except BaseException:
        for file in streams.values():
            file.abandon()
        raise
    addresses = pl.concat(address) if address else ADDRESS.to_frame()
    outcome = checker.finish(
        mapping.sources,
        mapping.column_map,
        addresses,
        file_issues=mapping.issues,
        looked=looked_at(plan),
    )
    _move_late(outcome, work, held)
    ledger = pl.concat([mapping.ledger, outcome.ledger])
    files = {
        **{f"quarantine/{table}": pl.concat(parts) for table, parts in held.items()},
        **{f"core/{table}": frame for table, frame in outcome.kept.items()},
        **{f"quarantine/{table}": outcome.held[table] for table in outcome.kept},
        "address": addresses,
    }
    always = {
        "source": mapping.sources,
        "column_map": mapping.column_map,
        "finding": outcome.findings,
        "finding_field": outcome.finding_fields,
        "ledger": ledger,
        "check_run": outcome.check_run,
    }
    write_files(work, {name: frame for name, frame in files.items() if frame.height} | always)
    summary = _summary(plan, mapping, outcome, ledger, catalog)
    (work / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    return summary


def _move_late(outcome: CheckOutcome, work: Path, held: dict[str, list[pl.DataFrame]]) -> None:
    """Takes rows that a rule about the whole table failed out of the file already written."""
    for table, reasons in outcome.late.items():
        if reasons.height:
            path = work / "core" / f"{table}.parquet"
            held.setdefault(table, []).append(without_rows(path, reasons["row_id"]))


def _derived(study: Study) -> dict[str, Any]:
    """Columns that rules compare with and that the schemas cannot compute."""
    from transforms.derive.salvage import salvage_groups

    def salvage_group(lines: pl.DataFrame) -> pl.Series:
        distinct = lines["drugs"].drop_nulls().unique().sort()
        groups = salvage_groups([text.split("|") for text in distinct], study.settings)
        return lines["drugs"].replace_strict(
            distinct, groups["group"], default=None, return_dtype=pl.String
        )

    return {"derived.salvage_group": salvage_group}


# Which rules a parser judges by reading a column at all.
_BY_PARSER: Mapping[str, tuple[str, ...]] = {
    "date": ("DAT-01", "DAT-02", "DAT-04", "DAT-05"),
    "year": ("DAT-01", "DAT-03"),
    "code": ("STR-06",),
    "lesion_category": ("STR-06",),
    "cytogenetics": ("STR-06",),
    "cytogenetic_share": ("STR-06",),
    "response": ("RSP-01",),
    "regimen": ("SAL-01", "SAL-08", "DAT-01"),
    "number": ("STR-06", "LAB-01", "LAB-02", "LAB-03", "LAB-05", "LAB-06"),
    "integer": ("STR-06",),
    "ecog": ("STR-06", "STG-11"),
}


def looked_at(plan: MappingPlan) -> set[str]:
    """Rules that reading and mapping judge for this delivery, whether or not they fired."""
    looked = {"STR-01", "STR-07", "STR-08", "STR-11", "PRV-01"}
    if plan.spec.id_pattern:
        looked.add("STR-04")
    if any(source.checkboxes for source in plan.spec.sources.values()):
        looked.add("STR-09")
    for block in plan.blocks:
        for column in block.columns:
            looked.update(_BY_PARSER.get(column.parser, ()))
            if column.column.name == "birth_year":
                looked.add("DAT-03")
    return looked


def _summary(
    plan: MappingPlan,
    mapping: DeliveryMapping,
    outcome: CheckOutcome,
    ledger: pl.DataFrame,
    catalog: Catalog,
) -> dict[str, Any]:
    rows: Counter[tuple[str, str]] = Counter()
    for step, table, result, n in ledger[["step", "table", "outcome", "n_rows"]].iter_rows():
        if step == "check":
            rows[table, result] += n
    return {
        "center_id": plan.spec.center.id,
        "delivery_id": plan.delivery.delivery_id,
        "received_on": plan.delivery.received_on.isoformat(),
        "export_date": plan.export_date.isoformat(),
        "dates_shifted": plan.spec.dates.shifted,
        "mode": plan.spec.mode,
        "language": plan.spec.language,
        "spec_hash": plan.spec.spec_hash,
        "catalog": catalog.fingerprint,
        "rows": {f"{table} {result}": rows[table, result] for table, result in sorted(rows)},
        "findings": dict(_counted(outcome.findings, "severity")),
        "rules": dict(_counted(outcome.findings, "rule_id")),
        "definitions": {
            name: {"status": item.status, "note": item.note}
            for name, item in plan.spec.definitions.items()
        },
        "facts": dict(plan.spec.facts),
        "notes": mapping.notes,
    }


def _counted(frame: pl.DataFrame, column: str) -> Iterator[tuple[str, int]]:
    yield from sorted(frame[column].value_counts().iter_rows())
