"""A delivery to canonical rows: small tables whole, response and lab in batches of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from schemas.catalog import STREAMING
from schemas.staging import COLUMN_MAP, SOURCE
from schemas.tables import ALL
from transforms.harmonize.assemble import BlockParser
from transforms.harmonize.batch import FILE_ISSUE, NO_ISSUES, MappedBatch
from transforms.harmonize.cells import Intake, conditions, load_fix
from transforms.harmonize.column_map import ColumnMap
from transforms.harmonize.forms import check_units
from transforms.harmonize.joins import Joins
from transforms.harmonize.ledger import Ledger
from transforms.harmonize.lines import SHIFT, split_lines
from transforms.harmonize.part import Part
from transforms.harmonize.plan import BlockPlan, MappingPlan
from transforms.harmonize.privacy_columns import without_stopped_texts
from transforms.harmonize.sources import OpenSource
from transforms.harmonize.texts import BlockTexts
from transforms.harmonize.untold import without_untold
from transforms.harmonize.untreated import UNTREATED, close_gaps, responses_moved


class Mapping:
    """Maps one planned delivery. Read `batches()` to the end before the other results.

    Attributes:
        plan: What is mapped.
    """

    def __init__(self, plan: MappingPlan) -> None:
        check_units(plan)
        self.plan = plan
        self._fix = load_fix(plan.spec)
        self._ledger = Ledger()
        self._maps = ColumnMap()
        self._issues: list[dict[str, Any]] = list(plan.issues)
        self._counts: dict[int, int] = {}
        self._whole: dict[int, pl.DataFrame] = {}
        self._shifts = pl.DataFrame(schema=SHIFT)
        self._idle: list[pl.DataFrame] = []
        self._untreated = pl.DataFrame(schema=UNTREATED)
        self._joins = Joins(plan, self._cells, self._issues, self._ledger)
        self._parts: dict[str, tuple[BlockTexts, BlockParser]] = {}
        for block in plan.blocks:
            texts = BlockTexts(plan, block, self._maps)
            self._parts[block.name] = (texts, BlockParser(plan, block, texts.relabelled))

    def batches(self) -> Iterator[MappedBatch]:
        """Small tables in the order of `schemas.tables.ALL`, then response and lab in batches."""
        for table in ALL:
            if table not in STREAMING:
                blocks = [block for block in self.plan.blocks if block.table.name == table]
                if blocks:
                    yield self._small(table, blocks)
        for source in self.plan.sources:
            blocks = self._streaming_blocks(source)
            if blocks:
                yield from self._stream(source, blocks)
        for source in self.plan.sources:
            if source.source_id not in self._counts:
                self._cells(source)
        self._joins.account()

    @property
    def sources(self) -> pl.DataFrame:
        """SOURCE: every file and sheet read."""
        rows = [
            {
                "source_id": source.source_id,
                "name": source.name,
                "file": source.file,
                "sheet": source.sheet,
                "sha256": source.reader.info.sha256,
                "kind": source.reader.info.kind,
                "encoding": source.reader.info.encoding,
                "delimiter": source.reader.info.delimiter,
                "decimal": source.reader.info.decimal,
                "n_rows": self._counts.get(source.source_id, 0),
            }
            for source in self.plan.sources
        ]
        return pl.DataFrame(rows, schema=SOURCE)

    @property
    def column_map(self) -> pl.DataFrame:
        """COLUMN_MAP: which header filled which canonical column."""
        return pl.DataFrame(self._maps.rows, schema=COLUMN_MAP)

    @property
    def ledger(self) -> pl.DataFrame:
        """LEDGER of the steps read and map."""
        return self._ledger.frame()

    @property
    def issues(self) -> pl.DataFrame:
        """FILE_ISSUE: findings that belong to no canonical row."""
        number = 0
        rows = []
        for issue in self._issues:
            number += issue.get("position", 1) == 1
            rows.append({"position": 1, **issue, "issue": number})
        return pl.DataFrame(rows, schema=FILE_ISSUE)

    @property
    def notes(self) -> list[str]:
        """Sentences for the data manager; they hold no values."""
        empty = [
            f"{source.place}: has a header and no rows; nothing of it is loaded"
            for source in self.plan.sources
            if self._counts.get(source.source_id) == 0
        ]
        return list(dict.fromkeys([*self.plan.notes, *empty]))

    def _streaming_blocks(self, source: OpenSource) -> list[BlockPlan]:
        return [
            block
            for block in self.plan.blocks
            if block.block.source == source.name and block.table.name in STREAMING
        ]

    def _small(self, table: str, blocks: list[BlockPlan]) -> MappedBatch:
        parts = [part for block in blocks if (part := self._block(block)) is not None]
        if table == "treatment_line" and parts and (self._shifts.height or self._idle):
            idle = pl.concat(self._idle) if self._idle else None
            parts, self._shifts, self._untreated = close_gaps(parts, idle, self._shifts)
        return self._batch(table, blocks[0], parts)

    def _block(self, block: BlockPlan) -> Part | None:
        """All rows of a block of a small table, over all files of its source."""
        texts, parser = self._parts[block.name]
        frames = []
        for source in self.plan.opened(block.block.source):
            frame = texts.build(self._joins.joined(self._cells(source), block), source)
            if frame is not None:
                frames.append(frame)
        self._account(block, texts)
        if not frames:
            return None
        part = parser.parse(pl.concat(frames) if len(frames) > 1 else frames[0])
        return self._split(part) if part.cells is not None else part

    def _split(self, part: Part) -> Part:
        assert part.cells is not None
        lines = split_lines(part.frame, part.raw, part.issues, part.cells, part.lines)
        self._shifts = pl.concat([self._shifts, lines.shifts])
        self._idle += [lines.idle] if lines.idle.height else []
        for source_id, n in lines.split.items():
            self._ledger.add("map", source_id, "treatment_line", "in", n, "split")
        for source_id, n in lines.dropped.items():
            self._ledger.add("map", source_id, "treatment_line", "excluded", n, "no therapy")
        return Part(lines.frame, lines.raw, lines.issues, part.address, steps=lines.steps)

    def _batch(self, table: str, block: BlockPlan, parts: list[Part]) -> MappedBatch:
        """Parts of several blocks as one batch, and its rows in the ledger."""
        if not parts:
            frame = pl.DataFrame(schema=block.table.frame_schema)
            return MappedBatch(table, frame, frame.select("patient_id"), NO_ISSUES)
        one = parts[0]
        if len(parts) > 1:
            one = Part(
                pl.concat([part.frame for part in parts]),
                pl.concat([part.raw for part in parts], how="diagonal"),
                _shifted(parts),
                pl.concat([part.address for part in parts]),
            )
        frame = one.frame
        for source_id, n in _by_source(frame):
            self._ledger.add("map", source_id, table, "out", n)
        frame = without_stopped_texts(frame, one.issues)
        return MappedBatch(table, frame, one.raw, one.issues, one.address)

    def _account(self, block: BlockPlan, texts: BlockTexts) -> None:
        """Moves the block's counts into the ledger."""
        for source_id, n in texts.candidates.items():
            self._ledger.add("map", source_id, block.table.name, "in", n)
        for (source_id, reason), n in texts.excluded.items():
            self._ledger.add("map", source_id, block.table.name, "excluded", n, reason)
        texts.candidates.clear()
        texts.excluded.clear()

    def _stream(self, source: OpenSource, blocks: list[BlockPlan]) -> Iterator[MappedBatch]:
        """Batches of the streaming tables that a source feeds."""
        for cells in self._batches_of(source):
            for table in STREAMING:
                mine = [block for block in blocks if block.table.name == table]
                parts = []
                for block in mine:
                    texts, parser = self._parts[block.name]
                    frame = texts.build(self._joins.joined(cells, block), source)
                    self._account(block, texts)
                    if frame is not None:
                        part = parser.parse(frame)
                        self._added(block, part, frame.height)
                        parts.append(self._told(part) if table == "response" else part)
                if parts:
                    yield self._batch(table, mine[0], parts)

    def _told(self, part: Part) -> Part:
        rest, untold = without_untold(part)
        for source_id, n in untold.items():
            self._ledger.add("map", source_id, "response", "excluded", n, "no response")
        moved, untreated = responses_moved(rest, self._shifts, self._untreated)
        for source_id, n in untreated.items():
            self._ledger.add("map", source_id, "response", "excluded", n, "no therapy")
        return moved

    def _added(self, block: BlockPlan, part: Part, before: int) -> None:
        if part.frame.height > before:
            for source_id, n in _by_source(part.frame[before:]):
                self._ledger.add("map", source_id, block.table.name, "in", n, "split")

    def _batches_of(self, source: OpenSource) -> Iterator[pl.DataFrame]:
        if source.source_id in self._whole or self._is_whole(source):
            yield self._cells(source)
            return
        intake = Intake(self.plan, source, self._fix)
        used: Counter[str] = Counter()
        for cells in intake.batches():
            self._count_used(source, cells, used)
            yield cells
        self._account_read(source, intake, used)

    def _is_whole(self, source: OpenSource) -> bool:
        """Sources of small tables and of joins are held whole."""
        return any(
            (block.block.source == source.name and block.table.name not in STREAMING)
            or any(join.source == source.name for join in block.block.join)
            for block in self.plan.blocks
        )

    def _cells(self, source: OpenSource) -> pl.DataFrame:
        """All cells of a source; read once."""
        if source.source_id not in self._whole:
            intake = Intake(self.plan, source, self._fix)
            cells = intake.whole()
            used: Counter[str] = Counter()
            self._count_used(source, cells, used)
            self._account_read(source, intake, used)
            self._whole[source.source_id] = cells
        return self._whole[source.source_id]

    def _count_used(self, source: OpenSource, cells: pl.DataFrame, used: Counter[str]) -> None:
        """How many rows at least one block takes; a source that only joins is counted there."""
        blocks = [block for block in self.plan.blocks if block.block.source == source.name]
        tests = [
            conditions(block.block.where, words) if block.block.where else None
            for block in blocks
            for words in block.bindings
        ]
        if not tests:
            return
        if any(test is None for test in tests):
            used["out"] += cells.height
            return
        out = int(cells.select(pl.any_horizontal([t for t in tests if t is not None]).sum()).item())
        used["out"] += out
        used["unmapped"] += cells.height - out

    def _account_read(self, source: OpenSource, intake: Intake, used: Counter[str]) -> None:
        self._counts[source.source_id] = intake.n_in
        self._issues += intake.issues
        self._ledger.add("read", source.source_id, None, "in", intake.n_in)
        if any(block.block.source == source.name for block in self.plan.blocks):
            self._ledger.add("read", source.source_id, None, "out", used["out"])
            self._ledger.add(
                "read", source.source_id, None, "excluded", used["unmapped"], "unmapped"
            )
        for reason, n in intake.excluded.items():
            self._ledger.add("read", source.source_id, None, "excluded", n, reason)
        for reason, n in intake.quarantined.items():
            self._ledger.add("read", source.source_id, None, "quarantined", n, reason)


def _by_source(frame: pl.DataFrame) -> list[tuple[int, int]]:
    """Rows per source id."""
    ids = frame["source_id"]
    low, high = ids.min(), ids.max()
    if low == high:
        return [(int(low), frame.height)] if isinstance(low, int) else []
    return list(ids.value_counts().sort("source_id").iter_rows())


def _shifted(parts: list[Part]) -> pl.DataFrame:
    """The issues of several parts, numbered by the rows of all."""
    found, offset = [], 0
    for part in parts:
        if part.issues.height:
            found.append(part.issues.with_columns(pl.col("index") + pl.lit(offset, pl.UInt32)))
        offset += part.frame.height
    return pl.concat(found) if found else NO_ISSUES
