"""Temporary tables that every step of a build joins to: shifts of deliveries, pseudonyms of patients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas.catalog import STREAMING, Catalog
from warehouse.pseudonyms import Pseudonymizer
from warehouse.staged_files import LinkedDelivery, existing, parquet

if TYPE_CHECKING:
    import duckdb

_LONG = 1_000_000  # bytes of a file whose patients stand in others too, which are cheaper to read


def create_delivery_shift(
    con: duckdb.DuckDBPyConnection, deliveries: Sequence[LinkedDelivery], scratch: Path
) -> None:
    """Temporary table `delivery_shift`: what is added to source and map ids of each delivery."""
    file = scratch / "delivery.parquet"
    pl.DataFrame(
        {
            "number": pl.Series([d.number for d in deliveries], dtype=pl.Int32),
            "load_id": pl.Series([d.staged.load_id for d in deliveries], dtype=pl.Int32),
            "center_id": [d.staged.center_id for d in deliveries],
            "delivery_id": [d.staged.delivery_id for d in deliveries],
            "link": [str(d.link) for d in deliveries],
            "current": [d.staged.current for d in deliveries],
        }
    ).write_parquet(file)
    shifts = ", ".join(
        f"coalesce(sum({m}.n) OVER (ORDER BY d.number ROWS BETWEEN UNBOUNDED PRECEDING "
        f"AND 1 PRECEDING), 0)::INTEGER AS {shift}"
        for m, shift in (("s", "source_shift"), ("m", "map_shift"))
    )
    highest = {
        table: (
            f"(SELECT filename, max({column}) AS n "
            f"FROM {parquet(existing(deliveries, table + '.parquet'), filename=True)} "
            "GROUP BY filename)"
        )
        for table, column in (("source", "source_id"), ("column_map", "map_id"))
    }
    con.execute(
        f"CREATE TEMP TABLE delivery_shift AS SELECT d.*, {shifts} FROM {parquet([file])} d "
        f"LEFT JOIN {highest['source']} s ON s.filename = d.link || '/source.parquet' "
        f"LEFT JOIN {highest['column_map']} m ON m.filename = d.link || '/column_map.parquet'"
    ).fetchall()


def create_id_map(
    con: duckdb.DuckDBPyConnection,
    study_folder: Path,
    pseudonyms: Pseudonymizer,
    catalog: Catalog,
    deliveries: Sequence[LinkedDelivery],
    scratch: Path,
) -> pl.DataFrame:
    """Temporary table `id_map` with the pseudonym of everybody in the staged files; the same as `ID_MAP`.

    Long files of a streaming table's kept rows are not looked at: a patient without subject row is
    held back (STR-03), and a row whose patient is not in the map is refused when it is loaded.
    """
    places = [f"{part}/{table}" for part in ("core", "quarantine") for table in catalog.tables]
    known = {f"core/{table}" for table in STREAMING}
    reads = [
        f"SELECT DISTINCT filename, patient_id FROM {parquet(files, filename=True)}"
        for place in [*places, "finding"]
        if (files := [
            file
            for file in existing(deliveries, f"{place}.parquet")
            if place not in known or file.stat().st_size < _LONG
        ])
    ]  # fmt: skip
    rows = con.execute(
        "SELECT DISTINCT s.center_id, f.patient_id FROM (" + " UNION ALL ".join(reads) + ") f "
        f"JOIN delivery_shift s ON s.link = left(f.filename, {len(str(deliveries[0].link))}) "
        "WHERE f.patient_id IS NOT NULL"
    ).fetchall()
    ids = pl.DataFrame(
        rows, schema={"center_id": pl.String(), "patient_id": pl.String()}, orient="row"
    )
    file = scratch / "id_map.parquet"
    id_map = pseudonyms.update_id_map(study_folder, ids)
    id_map = id_map.filter(pl.col("study_id") == pseudonyms.study_id)
    id_map.write_parquet(file)
    con.execute(
        f"CREATE TEMP TABLE id_map AS SELECT center_id, patient_id, usubjid FROM {parquet([file])}"
    ).fetchall()
    file.unlink()
    return id_map
