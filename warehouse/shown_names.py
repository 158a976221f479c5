"""Names of files and sheets as they are published: without ids of the center's patients.

Known are the ids of the id map, those of earlier deliveries and of rows that were held among them, and the tombstones
of patients who have withdrawn. The vault keeps the names as they came: packets for the center hold them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from transforms.harmonize.privacy_withdrawn import Withdrawn, spelling_key, withdrawn_of
from warehouse.names_with_ids import IsId, keys_in, without_ids
from warehouse.sql_text import filled
from warehouse.staged_files import LinkedDelivery, existing, parquet

if TYPE_CHECKING:
    import duckdb

SHOWN = "shown_name"
_ROW = pl.Schema(
    {
        "number": pl.Int32(),
        "file": pl.String(),
        "sheet": pl.String(),
        "shown_file": pl.String(),
        "shown_sheet": pl.String(),
    }
)
_NAMES = """
SELECT s.number, f.file, f.sheet, min(f.position) AS position FROM (${reads}) f
JOIN delivery_shift s ON s.link = left(f.filename, ${width})
GROUP BY ALL ORDER BY s.number, position, f.file, f.sheet
"""
_OF_FILE = re.compile(r"file=(.*) sheet=(.*)", re.DOTALL)  # `queries.facts`: where no row stands
_Name = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class ShownNames:
    """What was masked.

    Attributes:
        centers: centers of which a delivery in force has a name with an id, sorted.
        places: per center, places of queries on files (`queries.facts`) that hold an id, and those shown instead.
        is_id: per center, whether a piece of a name is an id of its patients.
    """

    centers: tuple[str, ...]
    places: Mapping[tuple[str, str], str]
    is_id: Mapping[str, IsId]

    def place(self, center_id: str, text: str) -> str:
        """The place of a query on a file that no source reads, without ids; the file may have come long ago."""
        if (center_id, text) in self.places:
            return self.places[center_id, text]
        match = _OF_FILE.fullmatch(text)
        if match is None or center_id not in self.is_id:
            return text
        shown = without_ids(match.groups(), self.is_id[center_id])
        file, sheet = (shown.get(name, name) for name in match.groups())
        return _place(file, sheet)


def _place(file: str | None, sheet: str | None) -> str:
    """As `queries.facts` writes it."""
    without_numbers = re.sub(r"\d+", "#", file or "")
    return f"file={without_numbers} sheet={sheet or ''}"


def create_shown_names(
    con: duckdb.DuckDBPyConnection,
    study_folder: Path,
    id_map: pl.DataFrame,
    deliveries: Sequence[LinkedDelivery],
    scratch: Path,
) -> ShownNames:
    """Temporary table `shown_name`: the names of each delivery that hold an id, and what is shown instead.

    Args:
        con: the warehouse that is built, with temporary table `delivery_shift`.
        study_folder: the study, for its tombstones.
        id_map: `ID_MAP` of the study.
        deliveries: all loaded ones.
        scratch: a folder for files that pass.
    """
    names = _names(con, deliveries)
    center_of = {d.number: d.staged.center_id for d in deliveries}
    texts: dict[str, set[str]] = defaultdict(set)
    for number, pairs in names.items():
        texts[center_of[number]] |= {text for pair in pairs for text in pair if text}
    is_id = {center: _known(study_folder, center, found, id_map) for center, found in texts.items()}
    rows, centers, places = [], set(), {}
    for delivery in deliveries:
        pairs = names.get(delivery.number, [])
        center = delivery.staged.center_id
        if not pairs:
            continue
        shown = without_ids([text for pair in pairs for text in pair if text], is_id[center])
        for file, sheet in pairs:
            if file in shown or sheet in shown:
                masked = (shown.get(file or "", file), shown.get(sheet or "", sheet))
                rows.append((delivery.number, file, sheet, *masked))
                places[center, _place(file, sheet)] = _place(*masked)
                if delivery.staged.current:
                    centers.add(center)
    file_of_rows = scratch / f"{SHOWN}.parquet"
    pl.DataFrame(rows, schema=_ROW, orient="row").write_parquet(file_of_rows)
    con.execute(f"CREATE TEMP TABLE {SHOWN} AS FROM {parquet([file_of_rows])}").fetchall()
    file_of_rows.unlink()
    return ShownNames(tuple(sorted(centers)), places, is_id)


def join_shown(names: str, number: str) -> str:
    """SQL that joins what is shown (`shown`) to rows with `file` and `sheet`.

    Args:
        names: alias of these rows.
        number: the column with the number of the delivery.
    """
    return (
        f"LEFT JOIN {SHOWN} shown ON shown.number = {number} "
        f"AND shown.file IS NOT DISTINCT FROM {names}.file "
        f"AND shown.sheet IS NOT DISTINCT FROM {names}.sheet"
    )


def shown_columns(names: str) -> str:
    """SQL: file and sheet as they are published, after `join_shown`."""
    return ", ".join(
        f"CASE WHEN shown.number IS NULL THEN {names}.{column} ELSE shown.shown_{column} END"
        for column in ("file", "sheet")
    )


def _names(
    con: duckdb.DuckDBPyConnection, deliveries: Sequence[LinkedDelivery]
) -> dict[int, list[_Name]]:
    """File and sheet of the sources of each delivery, then of findings on files that no source reads."""
    reads = [
        f"SELECT filename, file, sheet, {position} AS position FROM {parquet(files, filename=True)}"
        for table, position in (("source", "source_id"), ("finding_field", str(2**31 - 1)))
        if (files := existing(deliveries, f"{table}.parquet"))
    ]
    found: dict[int, list[_Name]] = defaultdict(list)
    if not reads:
        return found
    width = str(len(str(deliveries[0].link)))
    statement = filled(_NAMES, {"reads": " UNION ALL ".join(reads), "width": width})
    for number, file, sheet, _ in con.execute(statement).fetchall():
        found[number].append((file, sheet))
    return found


def _known(study_folder: Path, center_id: str, texts: set[str], id_map: pl.DataFrame) -> IsId:
    """Whether a piece of one of these names is an id of the center."""
    wanted = {key for text in texts for key in keys_in(text)}
    mine = id_map.filter(pl.col("center_id") == center_id)["patient_id"]
    looked_up = _rough(pl.Series(sorted(wanted), dtype=pl.String))
    near = mine.filter(_rough(mine).is_in(looked_up.implode()))
    ids = wanted & {spelling_key(one) for one in near}
    gone = withdrawn_of(study_folder, center_id)
    return lambda key, text: key in ids or (gone is not None and _has_withdrawn(gone, key, text))


def _has_withdrawn(gone: Withdrawn, key: str, text: str) -> bool:
    return gone.alike(key) in gone.marks or gone.mark(text) in gone.marks


def _rough(texts: pl.Series) -> pl.Series:
    """What texts of one spelling key have in common, and a few others: most ids are left out by it at once."""
    plain = texts.str.normalize("NFKD").str.to_lowercase().str.replace_all("ß", "ss", literal=True)
    return plain.str.replace_all(r"[^\p{L}\p{Nd}]|0", "")
