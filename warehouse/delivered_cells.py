"""The text of a few cells as a center delivered them, read again from the vault.

A rule over the whole study finds rows of the warehouse, where the text that was read is no more. Its
findings name file, sheet, row and column: only these cells are read, with the center's spec. A cell that
cannot be found any more stays unknown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from schemas.delivery import DeliveredFile, Delivery
from schemas.errors import CarmonyError
from schemas.spec import CenterSpec
from transforms.harmonize.sources import OpenSource, matches, nfc, open_sources
from warehouse.paths import StudyPaths

CELL = ("file", "sheet", "row", "source_column")
SEVERAL = " | "  # between the headers of a value that was put together
_PLACE = ["center_id", "delivery_id", *CELL]


def with_delivered_values(
    study_folder: Path, fields: pl.DataFrame, known: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The fields with `value` as delivered, where it is null and the cell can be read.

    Args:
        study_folder: The study: its vault holds the deliveries, `centers` the specs.
        fields: FINDING_FIELD with `center_id` and `delivery_id`. Nothing is read for those with a value.
        known: The same columns, of an earlier time: deliveries do not change, so what it knows is
            not read again.
    """
    if known is not None and known.height:
        told = known.select(*_PLACE, known_value="value").drop_nulls("known_value").unique(_PLACE)
        joined = fields.join(told, on=_PLACE, how="left", nulls_equal=True, maintain_order="left")
        fields = joined.with_columns(pl.coalesce("value", "known_value").alias("value"))
        fields = fields.drop("known_value")
    missing = fields.filter(
        pl.col("value").is_null(),
        *(pl.col(name).is_not_null() for name in ("file", "row", "source_column")),
    )
    if missing.is_empty():
        return fields
    found = [
        read_cells(study_folder, str(center_id), str(delivery_id), cells).with_columns(
            pl.lit(center_id).alias("center_id"), pl.lit(delivery_id).alias("delivery_id")
        )
        for (center_id, delivery_id), cells in missing.group_by("center_id", "delivery_id")
    ]
    joined = fields.join(
        pl.concat(found), on=_PLACE, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.with_columns(pl.coalesce("value", "cell").alias("value")).drop("cell")


def read_cells(
    study_folder: Path, center_id: str, delivery_id: str, cells: pl.DataFrame
) -> pl.DataFrame:
    """`file, sheet, row, source_column, cell` of the cells of one delivery; `cell` null if empty or not found.

    Args:
        study_folder: The study.
        center_id: The center.
        delivery_id: A delivery of it in the vault.
        cells: `file`, `sheet`, `row` (1-based, as in findings) and `source_column`.
    """
    wanted = cells.select(CELL).unique(maintain_order=True)
    try:
        texts = _texts(study_folder, center_id, delivery_id, wanted)
    except (CarmonyError, OSError, pl.exceptions.PolarsError):
        texts = {}  # the spec or the file is not what it was: the value is not known
    rows = [(*cell, texts.get(cell)) for cell in wanted.iter_rows()]
    schema = {**wanted.schema, "cell": pl.String()}
    return pl.DataFrame(rows, schema, orient="row")


Cell = tuple[str, str | None, int, str]


def _texts(
    study_folder: Path, center_id: str, delivery_id: str, wanted: pl.DataFrame
) -> dict[Cell, str]:
    from schemas.spec import load_spec

    home = StudyPaths(study_folder).vault / "deliveries" / center_id / delivery_id
    spec = load_spec(study_folder / "centers" / f"{center_id}.yaml")
    texts: dict[Cell, str] = {}
    for (file, sheet), cells in wanted.group_by("file", "sheet"):
        source = _open(spec, _delivery(spec, delivery_id, home, str(file)), str(file), sheet)
        if source is not None:
            headers: dict[int, list[str]] = {}
            for row, header in cells.select("row", "source_column").iter_rows():
                headers.setdefault(row, []).append(header)
            for row, header, text in _read(source, headers):
                texts[str(file), None if sheet is None else str(sheet), row, header] = text
    return texts


def _delivery(spec: CenterSpec, delivery_id: str, home: Path, file: str) -> Delivery:
    """The delivery in the vault, as if it held the file (or its zip) and data dictionaries alone."""
    dictionaries = [source.dictionary for source in spec.sources.values() if source.dictionary]
    names = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
    files = tuple(
        DeliveredFile(name, "", 0)
        for name in sorted(names)
        if f"{file}/".startswith(f"{name}/") or any(matches(name, d) for d in dictionaries)
    )
    return Delivery(spec.center.id, delivery_id, home, dt.date.min, files)


def _open(spec: CenterSpec, delivery: Delivery, file: str, sheet: object) -> OpenSource | None:
    """The file or sheet as the spec reads it; other files stay closed."""
    sheets = (None, nfc(str(sheet)))
    sources = {
        name: source
        for name, source in spec.sources.items()
        if matches(file, source.file) and (source.sheet and nfc(source.sheet)) in sheets
    }
    narrowed = spec.model_copy(update={"sources": sources})
    narrowed._path = spec.path
    for source in open_sources(narrowed, delivery).sources:
        if source.file == file and source.sheet == sheet:
            return source
    return None


def _read(source: OpenSource, headers: dict[int, list[str]]) -> Iterator[tuple[int, str, str]]:
    """Row, header and text of the cells that are not empty; nothing is read below the last of them."""
    last = max(headers)
    for batch in source.reader.batches():
        names = {nfc(name): name for name in batch.columns}
        rows = batch.filter(pl.col("_row").is_in(list(headers)))
        for row in rows.iter_rows(named=True):
            for header in headers[row["_row"]]:
                text = _cell(row, names, header)
                if text:
                    yield row["_row"], header, text
        if batch.height and batch["_row"][-1] >= last:
            return


def _cell(row: dict[str, str | None], names: dict[str, str], header: str) -> str | None:
    """The cell under a header; under several, the cells that are filled."""
    parts = [header] if nfc(header) in names else header.split(SEVERAL)
    texts = [row[names[nfc(part)]] for part in parts if nfc(part) in names]
    return SEVERAL.join(text for text in texts if text)
