"""Rows of other sources beside a row: joined by the patient's id or a named key, never by position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from schemas.spec import Join
from transforms.harmonize.cells import ID, ROW
from transforms.harmonize.ledger import Ledger
from transforms.harmonize.plan import BlockPlan, MappingPlan
from transforms.harmonize.sources import OpenSource, nfc
from transforms.harmonize.texts import SRC

_KEY = "_key"


class Joins:
    """Joins whole sources to cells, and accounts for joined rows that found no partner."""

    def __init__(
        self,
        plan: MappingPlan,
        cells: Callable[[OpenSource], pl.DataFrame],
        issues: list[dict[str, Any]],
        ledger: Ledger,
    ) -> None:
        self.plan = plan
        self._cells = cells
        self._issues = issues
        self._ledger = ledger
        self._right: dict[tuple[str, str | None], pl.DataFrame] = {}
        self._matched: dict[str, set[tuple[int, int]]] = {}

    def joined(self, cells: pl.DataFrame, block: BlockPlan) -> pl.DataFrame:
        """The cells with the joined headers and `_row<slot>`, `_src<slot>`."""
        for slot, join in enumerate(block.block.join, 2):
            cells = self._join(cells, join, slot)
        return cells

    def _join(self, cells: pl.DataFrame, join: Join, slot: int) -> pl.DataFrame:
        right = self._table(join)
        wanted = [nfc(name) for name in join.columns] if join.columns else None
        names = [
            name
            for name in right.columns
            if name not in (_KEY, ROW, SRC, ID) and (wanted is None or name in wanted)
        ]
        chosen = right.select(
            _KEY,
            pl.col(ROW).alias(f"{ROW}{slot}"),
            pl.col(SRC).alias(f"{SRC}{slot}"),
            *[pl.col(name).alias(nfc(join.prefix) + name) for name in names],
        )
        done = cells.with_columns(_key(join).alias(_KEY)).join(
            chosen, on=_KEY, how="left", maintain_order="left"
        )
        hits = done.select(f"{SRC}{slot}", f"{ROW}{slot}").drop_nulls().unique()
        self._matched.setdefault(join.source, set()).update(hits.iter_rows())
        return done.drop(_KEY)

    def _table(self, join: Join) -> pl.DataFrame:
        """The joined source, one row per key: the first; further ones are findings."""
        mark = (join.source, join.on)
        if mark not in self._right:
            frames = [
                self._cells(source).with_columns(pl.lit(source.source_id, pl.Int32).alias(SRC))
                for source in self.plan.opened(join.source)
            ]
            if not frames:
                self._right[mark] = self._absent(join)
                return self._right[mark]
            rows = pl.concat(frames, how="diagonal").with_columns(_key(join).alias(_KEY))
            rows = rows.filter(pl.col(_KEY).is_not_null())
            again = rows.filter(pl.col(_KEY).is_first_distinct().not_())
            if again.height and not self._is_main(join.source):
                self._report(
                    again, "STR-02", "the row's key stands twice: the first row was joined"
                )
            self._right[mark] = rows.unique(_KEY, keep="first", maintain_order=True)
        return self._right[mark]

    def _absent(self, join: Join) -> pl.DataFrame:
        names = [nfc(name) for name in join.columns or ()]
        schema: dict[str, Any] = {_KEY: pl.String, ROW: pl.Int32, SRC: pl.Int32}
        return pl.DataFrame(schema=schema | dict.fromkeys(names, pl.String))

    def _is_main(self, name: str) -> bool:
        return any(block.block.source == name for block in self.plan.blocks)

    def _report(self, rows: pl.DataFrame, rule_id: str, note: str) -> None:
        sources = {source.source_id: source for source in self.plan.sources}
        for source_id, row, patient in rows.select(SRC, ROW, ID).iter_rows():
            source = sources[source_id]
            self._issues.append(
                {
                    "rule_id": rule_id,
                    "severity": "error",
                    "source_id": source_id,
                    "file": source.file,
                    "sheet": source.sheet,
                    "row": row,
                    "source_column": source.columns[nfc(source.spec.patient_id)].name,
                    "patient_id": patient,
                    "value": patient,
                    "note": note,
                }
            )

    def account(self) -> None:
        """Ledger lines of sources that only join; rows without a partner are findings (STR-03)."""
        names = dict.fromkeys(
            join.source for block in self.plan.blocks for join in block.block.join
        )
        for name in names:
            if self._is_main(name):
                continue
            matched = self._matched.get(name, set())
            for source in self.plan.opened(name):
                cells = self._cells(source)
                rows = [row for source_id, row in matched if source_id == source.source_id]
                used = pl.col(ROW).is_in(rows)
                lost = cells.filter(~used).with_columns(
                    pl.lit(source.source_id, pl.Int32).alias(SRC)
                )
                twice = {
                    i["row"]
                    for i in self._issues
                    if i["rule_id"] == "STR-02" and i["source_id"] == source.source_id
                }
                alone = lost.filter(~pl.col(ROW).is_in(list(twice)))
                self._report(alone, "STR-03", "no row of the other sheet has this patient")
                self._ledger.add("read", source.source_id, None, "out", cells.height - lost.height)
                self._ledger.add(
                    "read",
                    source.source_id,
                    None,
                    "quarantined",
                    lost.height - alone.height,
                    "STR-02",
                )
                self._ledger.add(
                    "read", source.source_id, None, "quarantined", alone.height, "STR-03"
                )


def _key(join: Join) -> pl.Expr:
    if join.on is None:
        return pl.col(ID)
    text = pl.col(nfc(join.on)).str.strip_chars()
    return pl.when(text != "").then(text)
