"""The packet of queries of a center in the vault: `queries.xlsx` and `queries.csv`."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from schemas.catalog import load_catalog
from schemas.queries import BOOK_WORDS, Words
from schemas.query_frames import OPEN
from schemas.spec import load_study
from warehouse.loads import LoadLog, StagedDelivery
from warehouse.packet_files import check_names, csv_bytes, packet_folder, write_closed
from warehouse.paths import StudyPaths
from warehouse.queries import QueryLog, current_facts
from warehouse.query_book.book import write_book
from warehouse.query_book.columns import COLUMNS
from warehouse.query_book.cover import About
from warehouse.query_book.lines import lines
from warehouse.rules import declared_rules
from warehouse.study_rules import StudyFindings

BOOK, TABLE = "queries.xlsx", "queries.csv"


@dataclass(frozen=True, slots=True)
class Known:
    """What the packets of all centers are written from; read once, if there are several to write."""

    study: str
    title: str
    queries: pl.DataFrame
    facts: pl.DataFrame
    fields: pl.DataFrame
    deliveries: tuple[tuple[int, StagedDelivery], ...]  # in force, with their delivery_key

    @classmethod
    def read(cls, study_folder: Path) -> Known:
        """The state of the queries now, and what the deliveries in force tell."""
        study = load_study(study_folder)
        found = current_facts(study_folder, study_id=study.id)
        history = LoadLog.read(study_folder).history()
        return cls(
            study.id,
            study.title,
            QueryLog.read(study_folder).queries,
            found.facts,
            found.fields,
            tuple((n, staged) for n, staged in enumerate(history, start=1) if staged.current),
        )


def write_query_packet(
    study_folder: Path, center_id: str, part: int, on: dt.date, *, known: Known | None = None
) -> Path:
    """Writes the workbook and the table of a center's queries; gives their folder.

    `vault/packets/<center>/queries/<on>_<part>/`. A center without open queries gets a workbook that
    says so.

    Args:
        study_folder: The study.
        center_id: The center.
        part: The number of the packet: the part of the log by which its queries are sent.
        on: The day, to which the age of the queries is counted.
        known: What `Known.read` gives, if several packets are written.

    Raises:
        CarmonyError: The name of the center is no name of a folder, or study or log cannot be read.
    """
    check_names(center_id)
    known = known or Known.read(study_folder)
    own = tuple((n, staged) for n, staged in known.deliveries if staged.center_id == center_id)
    words = Words(_language(own), further=BOOK_WORDS)
    told = lines(
        known.queries.filter(pl.col("center_id") == center_id),
        _with_messages(study_folder, known.facts, own),
        known.fields,
        declared_rules(load_catalog()),
        words.language,
        on=on,
    )
    received = tuple(sorted({staged.received_on for _, staged in own}))
    about = About(known.study, known.title, center_id, part, on, received)
    home = StudyPaths(study_folder).vault / "packets" / center_id / "queries"
    folder = packet_folder(home / f"{on.isoformat()}_{part}")
    write_book(told, about, words, folder / BOOK)
    titles = {column.code: words(column.title) for column in COLUMNS}
    asked = told.filter(pl.col("state") == OPEN).select(list(titles))
    write_closed(folder / TABLE, csv_bytes(asked, titles, words))
    return folder


def _language(deliveries: tuple[tuple[int, StagedDelivery], ...]) -> str | None:
    """As the spec says by which the newest delivery was read."""
    if not deliveries:
        return None
    path = deliveries[-1][1].folder / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    return summary.get("language")  # type: ignore[no-any-return]


def _with_messages(
    study_folder: Path, facts: pl.DataFrame, deliveries: tuple[tuple[int, StagedDelivery], ...]
) -> pl.DataFrame:
    """The facts with `message` of their finding, for those of these deliveries."""
    keys = {"delivery_key": pl.Int32(), "finding_id": pl.Int64()}
    frames = [pl.DataFrame(schema={**keys, "message": pl.String()})]
    of_study = StudyFindings.read(study_folder)
    for number, staged in deliveries:
        own, _ = of_study.of(staged.center_id, staged.delivery_id)
        for frame in (pl.read_parquet(staged.folder / "finding.parquet", glob=False), own):
            frames.append(
                frame.select(
                    pl.lit(number, pl.Int32).alias("delivery_key"), "finding_id", "message"
                )
            )
    messages = pl.concat(frames).unique(list(keys), keep="first", maintain_order=True)
    return facts.join(messages, on=list(keys), how="left", maintain_order="left")
