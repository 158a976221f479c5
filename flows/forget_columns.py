"""Where an id is looked for that stands in files by chance, as a number or a short word: in columns of ids.

The year 2023 is in every file of a study. As the id of a patient it says something only as a whole cell of
a column that holds ids: by the center's spec, by what was read before, or by its title in a packet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows import parts
from flows.folder import StudyFolder
from schemas.errors import CarmonyError, FileError

_PARQUET = b"PAR1"
_TABLES = re.compile(r"\.(csv|tsv|txt|tab)", re.IGNORECASE)
_WORKBOOKS = frozenset({"xlsx", "xls", "ods"})
_FIRST_ROWS = 30  # among which a sheet has its titles
_SEPARATED = re.compile(r"[;,\t|]")
# A title where none of the known ones stands, as in files that could not be read as the spec says.
_LIKE_AN_ID = re.compile(r"(^|[^a-z])(p?id|pat\w*|paciente|subj\w*|mrn|record id)([^a-z]|$)")


@dataclass(frozen=True, slots=True)
class IdColumns:
    """The columns of ids of a center, and an id that is looked for in them.

    Attributes:
        center_id: the center.
        patient_id: its id of the patient.
        titles: match keys of the headers of its columns of ids.
    """

    center_id: str
    patient_id: str
    titles: frozenset[str]

    def files(self, place: Path, leave_out: Iterable[Path] = ()) -> list[Path]:
        """The files of a folder, or the file, with the id in a column of ids; links are not followed."""
        out = set(leave_out)
        under = [place] if place.is_file() else sorted(place.rglob("*"))
        found = (path for path in under if out.isdisjoint((path, *path.parents)))
        return [p for p in found if p.is_file() and not p.is_symlink() and self.in_file(p)]

    def in_file(self, path: Path) -> bool:
        """Whether the id stands in a column of ids; a file that cannot be read as tables has none."""
        with path.open("rb") as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
        if is_parquet:
            return self._in_parquet(path)
        try:
            return any(self._in_column(cells) for cells in _columns_of(path, self.titles))
        except FileError:
            return bool(_TABLES.fullmatch(path.suffix)) and self._in_lines(path)

    def _in_column(self, cells: pl.Series) -> bool:
        return bool((cells.str.strip_chars() == self.patient_id).any())

    def _in_parquet(self, path: Path) -> bool:
        try:
            frame = pl.scan_parquet(path, glob=False)
            names = frame.collect_schema().names()
            if "center_id" in names:
                frame = frame.filter(pl.col("center_id") == self.center_id)
            ids = [name for name in names if _key(name) in self.titles]
            cells = frame.select(pl.col(ids).cast(pl.String)).collect()
            quoted = frame.filter(self.quoted()).head(1).collect() if {*names} >= _QUOTED else None
        except pl.exceptions.PolarsError:
            return False  # damaged: the search for the pseudonym names it
        return any(map(self._in_column, cells)) or bool(quoted is not None and quoted.height)

    def quoted(self) -> pl.Expr:
        """Cells of findings that quote the id as an id; of rows that nobody's are, the column is not known."""
        of_ids = pl.col("column").fill_null("patient_id") == "patient_id"
        return of_ids & (pl.col("value").str.strip_chars() == self.patient_id)

    def _in_lines(self, path: Path) -> bool:
        """Of a text that is no table: the id as first cell of a line."""
        text = path.read_bytes().decode("utf-8", "replace")
        first = (_SEPARATED.split(line, maxsplit=1)[0] for line in text.splitlines())
        return any(cell.strip(" \t\"'\ufeff") == self.patient_id for cell in first)


_QUOTED = {"column", "value"}


def id_columns(folder: StudyFolder, center_id: str, patient_id: str) -> IdColumns:
    """The columns of ids of a center: of its spec, of what was read so far, and of packets."""
    from warehouse.query_answers.words import titles

    known = {"patient_id", *_declared(folder, center_id), *_read_before(folder, center_id)}
    of_packets = {key for key, code in titles().items() if code == "patient"}
    return IdColumns(center_id, patient_id, frozenset({*map(_key, known), *of_packets}))


def _declared(folder: StudyFolder, center_id: str) -> list[str]:
    try:
        sources = parts.load_spec(folder.spec(center_id)).sources
    except (CarmonyError, OSError):
        return []  # a spec that is broken or gone just now
    return [source.patient_id for source in sources.values()]


def _read_before(folder: StudyFolder, center_id: str) -> Iterator[str]:
    for path in folder.staged(center_id).glob("*/column_map.parquet"):
        try:
            read = pl.read_parquet(path, glob=False)
        except pl.exceptions.PolarsError:
            continue  # damaged: titles that look like those of ids are left
        of_ids = read.filter(pl.col("column") == "patient_id")
        yield from of_ids["source_column"].drop_nulls().unique()


def _columns_of(path: Path, titles: frozenset[str]) -> Iterator[pl.Series]:
    """The columns of ids of a file, in pieces."""
    from transforms.read import ReadOptions, open_tables
    from transforms.read.registry import kind_of
    from transforms.read.source import source_of

    is_workbook = kind_of(source_of(path), ReadOptions()).name in _WORKBOOKS
    # The titles of a workbook may stand anywhere: all its rows are read as rows of cells.
    options = ReadOptions(header_rows=(0,) if is_workbook else None, may_be_empty=True)
    for table in open_tables(path, options):
        names = [column.name for column in table.info.columns]
        chosen: list[str] | None = None
        for batch in table.batches() if names else ():
            if chosen is None:
                chosen = _chosen(names, batch.head(_FIRST_ROWS), titles)
            yield from (batch[name] for name in chosen)


def _chosen(names: list[str], first: pl.DataFrame, titles: frozenset[str]) -> list[str]:
    """Columns with a title of ids; where there is none, those whose title looks like one."""
    keys = {name: {_key(cell) for cell in (name, *first[name].drop_nulls())} for name in names}
    known = [name for name in names if keys[name] & titles]
    return known or [name for name in names if any(map(_LIKE_AN_ID.search, keys[name]))]


def _key(title: str) -> str:
    from transforms.harmonize.values.match import match_key

    return match_key(unicodedata.normalize("NFC", title))
