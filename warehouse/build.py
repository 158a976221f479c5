"""Builds a new warehouse file from the staged deliveries; never changes a published one.

The order is: core (rows of the current deliveries), meta and quality (all deliveries ever loaded),
analysis (derived from core), rules on all deliveries at once, dictionary, integrity. Any fault leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.catalog import Catalog, load_catalog
from schemas.errors import CarmonyError, StudyError
from warehouse import meta, quality
from warehouse.core import fill_core
from warehouse.definitions import fill_definitions
from warehouse.delivery_diff.fill import compare_deliveries
from warehouse.export_days import read_export_days
from warehouse.held_progressions import read_held_progressions
from warehouse.integrity import check_integrity
from warehouse.keys import create_delivery_shift, create_id_map
from warehouse.loads import LoadLog, StagedDelivery
from warehouse.paths import StudyPaths, private_folder
from warehouse.pseudonyms import Pseudonymizer
from warehouse.queries.fill import fill_queries
from warehouse.rules import declared_rules
from warehouse.scorecard import fill_scorecard
from warehouse.shown_names import SHOWN, ShownNames, create_shown_names
from warehouse.sql_text import name, one_transaction, sql_file, sql_names
from warehouse.staged_files import LinkedDelivery, linked
from warehouse.study_rules import judge_study

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Study

STORAGE_VERSION = "v1.4.0"  # DuckDB 1.4 and later read it; older storage writes text slower
MEMORY_LIMIT = "1GB"
LARGE_BYTES = 100_000_000  # of staged Parquet

Derive = Callable[["duckdb.DuckDBPyConnection", "Study"], None]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The new file and the number of rows of each core table.

    `named_by_ids`: centers whose deliveries in force have names of files or sheets with ids, which are masked.
    """

    path: Path
    load_id: int
    n_rows: Mapping[str, int]
    named_by_ids: tuple[str, ...] = ()


def build_study(
    study_folder: Path, study: Study, load_id: int, *, derive: Derive | None = None
) -> BuildResult:
    """The warehouse of a running load: its deliveries and all that were loaded before.

    Call it under the study's lock, after `LoadLog.record`.
    """
    log = LoadLog.read(study_folder)
    paths = StudyPaths(study_folder)
    remove_orphans(study_folder)
    return build_warehouse(
        paths.building(load_id),
        study,
        log.history(including=load_id),
        log,
        Pseudonymizer.of_study(study_folder, study.id),
        load_id=load_id,
        derive=derive,
    )


def build_warehouse(
    out_file: Path,
    study: Study,
    staged: Sequence[StagedDelivery],
    log: LoadLog,
    pseudonyms: Pseudonymizer,
    *,
    load_id: int,
    derive: Derive | None = None,
    catalog: Catalog | None = None,
    rules: Sequence[Mapping[str, Any]] | None = None,
    storage_version: str = STORAGE_VERSION,
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> BuildResult:
    """Builds the warehouse in `out_file`, whole or not at all.

    Args:
        out_file: The file to make; one of that name is removed.
        study: Identity, data cut and settings.
        staged: All loaded deliveries (`LoadLog.history`); the current ones fill `core`.
        log: The load log; its folder's vault holds the id map.
        pseudonyms: Of this study.
        load_id: The running load, which the file will carry.
        derive: Fills schema `analysis`; default `warehouse.analysis.derive` and then
            `warehouse.alternatives.add_alternatives`.
        catalog: Canonical tables; default the project's.
        rules: Rule entries for `quality.rule`; default the project's.
        storage_version: Oldest DuckDB that can read the file.
        memory_limit: For DuckDB; above it, it spills beside `out_file`.
        threads: For DuckDB. Default: one for a small study, where threads only wait for each
            other, else up to four. One thread takes a tenth less CPU and twice the time.

    Raises:
        AuditStoppedError: Staged rows or the finished tables are not consistent.
        CarmonyError: A staged folder is not there, or the disk is full.
    """
    import duckdb

    if not any(delivery.current for delivery in staged):
        raise StudyError(
            "There is no delivery to build a warehouse from.",
            fix="put deliveries into inbox/<center>/<YYYY-MM-DD>/ and run again",
        )
    catalog = catalog or load_catalog()
    rules = declared_rules(catalog) if rules is None else rules
    private_folder(out_file.parent)
    _remove_database(out_file)
    done = False
    try:
        with linked(staged) as deliveries:
            con = _create(out_file, storage_version, memory_limit, threads or _threads(deliveries))
            try:
                core, names = _fill(
                    con, study, log, load_id, pseudonyms, catalog, rules, deliveries
                )
                with one_transaction(con):
                    (derive or _default_derive)(con, study)
                    compare_deliveries(con, log, load_id, catalog, deliveries)
                    judge_study(con, log.folder)
                    fill_queries(con, log.folder, study, load_id, catalog, rules, deliveries, names)
                    fill_scorecard(con, transaction=False)
                _finish(con, catalog, core, deliveries[0].link.parent)
                counts = {table: _height(con, table) for table in core}
            finally:
                con.close()
        out_file.chmod(0o600)
        done = True
        return BuildResult(out_file, load_id, counts, names.centers)
    except PermissionError:
        raise  # more room would not help; the run names the folder
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise CarmonyError(
            f"The warehouse could not be written: {str(error).splitlines()[0][:300]}",
            fix="make room on the disk (docs/warehouse.md says how much) and run again; what was "
            "published before stays",
        ) from None
    finally:
        if not done:
            _remove_database(out_file)


def remove_orphans(study_folder: Path) -> list[str]:
    """Removes what killed loads left beside the published file; gives their names.

    Call it under the study's lock.
    """
    folder = StudyPaths(study_folder).building(0).parent
    left = sorted(folder.glob("*")) if folder.is_dir() else []
    for path in left:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return [path.name for path in left]


def _threads(deliveries: Sequence[LinkedDelivery]) -> int:
    size = sum(
        path.stat().st_size
        for delivery in deliveries
        if delivery.staged.current
        for path in delivery.file("core").glob("*.parquet")
    )
    return 1 if size < LARGE_BYTES else min(os.cpu_count() or 1, 4)


def _create(
    out_file: Path, storage_version: str, memory_limit: str, threads: int
) -> duckdb.DuckDBPyConnection:
    import duckdb

    con = duckdb.connect(
        str(out_file),
        config={
            "storage_compatibility_version": storage_version,
            "memory_limit": memory_limit,
            "threads": threads,
            "preserve_insertion_order": "false",
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(out_file) + ".tmp",
        },
    )
    out_file.chmod(0o600)
    with one_transaction(con):
        for schema in ("core", "quality", "meta", "analysis"):
            con.execute(f"CREATE SCHEMA {schema}").fetchall()
        for file in sql_names("ddl"):
            con.execute(sql_file("ddl", file)).fetchall()
    return con


def _fill(
    con: duckdb.DuckDBPyConnection,
    study: Study,
    log: LoadLog,
    load_id: int,
    pseudonyms: Pseudonymizer,
    catalog: Catalog,
    rules: Sequence[Mapping[str, Any]],
    deliveries: Sequence[LinkedDelivery],
) -> tuple[dict[str, Any], ShownNames]:
    scratch = deliveries[0].link.parent
    create_delivery_shift(con, deliveries, scratch)
    id_map = create_id_map(con, log.folder, pseudonyms, catalog, deliveries, scratch)
    names = create_shown_names(con, log.folder, id_map, deliveries, scratch)
    core = fill_core(con, catalog, deliveries)
    read_held_progressions(con, deliveries)
    read_export_days(con, deliveries)
    with one_transaction(con):
        meta.create_row_address(con, catalog)
        for file in sql_names("views"):
            con.execute(sql_file("views", file)).fetchall()
        meta.fill_run(con, study, log.load(load_id))
        meta.fill_codelists(con, catalog, scratch)
        meta.fill_sources(con, deliveries)
        fill_definitions(con, catalog, deliveries, scratch)
        quality.fill_loads(con, log, load_id, deliveries, scratch)
        quality.fill_rules(con, rules, scratch)
        quality.fill_findings(con, catalog, deliveries)
        quality.fill_check_runs(con, deliveries)
        quality.fill_ledger(con, catalog, deliveries)
    return core, names


def _finish(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, core: dict[str, Any], scratch: Path
) -> None:
    with one_transaction(con):
        meta.comment_labels(con)
        for table in ("delivery_shift", "id_map", SHOWN, "patient_key", "held_progression"):
            con.execute(f"DROP TABLE temp.{table}").fetchall()
        meta.fill_dictionary(con, core, scratch)
    check_integrity(con, catalog)
    con.execute("CHECKPOINT").fetchall()


def _default_derive(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    from warehouse.alternatives import add_alternatives
    from warehouse.analysis import derive

    derive(con, study)
    add_alternatives(con, study)


def _height(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM core.{name(table)}").fetchall()[0][0])


def _remove_database(path: Path) -> None:
    path.unlink(missing_ok=True)
    Path(f"{path}.wal").unlink(missing_ok=True)
    shutil.rmtree(f"{path}.tmp", ignore_errors=True)
