"""Writes packets of questions for centers, and marks their queries as sent. Under the study's lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.bug_log import write_bug_log
from flows.faults import refuse_to_go_on
from flows.folder import StudyFolder
from flows.outcome import NOT_SENT, WRITTEN
from flows.sending.delivery import overtaken
from flows.sending.news import centers_with_news, unsent
from flows.sending.parcel import newest_packet, part_of
from schemas.errors import CarmonyError

if TYPE_CHECKING:
    from warehouse.query_book import Known


def write_due_packets(root: str) -> list[dict[str, Any]]:
    """Packets for centers with something new. Never raises for a single center's fault.

    Returns:
        As `write_packets`.
    """
    from warehouse.queries import QueryLog

    folder = StudyFolder(Path(root))
    if not (folder.vault / "queries").is_dir():
        return []
    log = QueryLog.read(folder.root)
    due = set(
        centers_with_news(
            log.events, log.queries, lambda center: part_of(newest_packet(folder, center))
        )
    )
    asked = set(log.queries.filter(state="open")["center_id"])
    return write_packets(root, sorted(due | (overtaken(folder) & asked)))


def write_packets(root: str, centers: Sequence[str]) -> list[dict[str, Any]]:
    """A packet for each of the centers, with all its open queries; they count as sent from now on.

    The log comes first: a packet that a crash kept from being written is written by the next run, since
    its queries are marked and it is not there.

    Returns:
        A record per center: `center_id`, `state`, `packet` (its folder inside the study), `n_queries`
        (open), `n_new` (of them, since the last packet) and `message`.
    """
    from warehouse.queries import QueryLog
    from warehouse.queries.transitions import send
    from warehouse.query_book import Known

    folder = StudyFolder(Path(root))
    if not centers:
        return []
    now = dt.datetime.now(dt.UTC)
    log = QueryLog.read(folder.root)
    fresh = unsent(log.events, log.queries).filter(_of(centers))
    part = int(log.events["part"].max() or 0)  # type: ignore[arg-type]
    if fresh.height:
        events, _ = send(log.queries, fresh["query_id"].to_list(), now)
        part = log.append("send", events)
    still = log.queries.filter(_of(centers), state="open")
    n_open = dict(still.group_by("center_id").len().iter_rows())
    n_new = dict(fresh.group_by("center_id").len().iter_rows())
    # The day is the reader's, not the one of Greenwich.
    today = dt.date.today()
    known = Known.read(folder.root)
    return [
        {
            **_written(folder, center_id, part, today, known),
            "n_queries": n_open.get(center_id, 0),
            "n_new": n_new.get(center_id, 0),
        }
        for center_id in centers
    ]


def _of(centers: Sequence[str]) -> Any:
    import polars as pl

    return pl.col("center_id").is_in(list(centers))


def _written(
    folder: StudyFolder, center_id: str, part: int, on: dt.date, known: Known
) -> dict[str, Any]:
    from warehouse.query_book import write_query_packet

    found = {"center_id": center_id, "state": WRITTEN, "packet": "", "message": ""}
    try:
        packet = write_query_packet(folder.root, center_id, part, on, known=known)
    except CarmonyError as error:
        return {**found, "state": NOT_SENT, "message": str(error)}
    except Exception as error:
        refuse_to_go_on(error, folder)
        log = write_bug_log(error, str(folder.root))
        text = f"a bug while its packet was written; please send this file: {log}"
        return {**found, "state": NOT_SENT, "message": text}
    return {**found, "packet": packet.relative_to(folder.root).as_posix()}
