"""Canonical rows → findings, and rows kept or held back, by the compiled rules.

Small tables are held whole and judged at `seal`. Streaming tables (response, lab) are judged batch
by batch after that: `add` gives back at once what is kept and what is held, so that memory stays
bounded. Rules about a streaming table as a whole are judged at `finish`, from a few numbers per row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import polars as pl

from schemas.catalog import STREAMING, Catalog
from schemas.check_context import ContextBook
from schemas.check_data import Batch, CheckFacts, TableData, table_data
from schemas.check_events import Events
from schemas.check_findings import FindingBook
from schemas.check_holds import (
    NO_REASONS,
    Holds,
    Lines,
    divide,
    hold_copies,
    hold_explained,
    hold_failing,
    hold_issues,
    ledger_lines,
    lines_of,
    lines_of_stream,
    renamed,
    settle,
    split,
)
from schemas.check_issues import MISSPELT
from schemas.check_late import LateRows, Streamed, book_of
from schemas.check_outcome import BatchVerdict, CheckOutcome
from schemas.check_partial import in_doubt, unheld
from schemas.check_plan import PlannedCheck, plan_of
from schemas.check_report import check_run
from schemas.check_rows import (
    Derived,
    Failing,
    Tallies,
    applicable,
    copies,
    filled,
    in_scope,
    judge,
    runnable,
    with_derived,
    without_issues,
)


class Checker:
    """Judges one delivery. Order of calls: `add` small tables, `seal`, `add` streaming, `finish`.

    `derived` computes columns that rules compare with and that this package cannot know, from a
    table's frame: `{"derived.salvage_group": function}`. A rule whose column is not computed does
    not run, and says so.
    """

    def __init__(self, catalog: Catalog, facts: CheckFacts, derived: Derived | None = None) -> None:
        self._catalog = catalog
        self._facts = facts
        self._plan = plan_of(catalog)
        self._derived = dict(derived or {})
        self._waiting: dict[str, list[Batch]] = {}
        self._tables: dict[str, TableData] = {}
        self._streamed: dict[str, Streamed] = {}
        self._tallies = Tallies()
        self._findings = FindingBook(self._plan)
        self._holds = self._settled = Holds()
        self._patients = pl.DataFrame()
        self._book = ContextBook(self._plan, self._tables, facts)
        self._chosen: dict[str, list[PlannedCheck]] = {}
        self._events = Events()
        self._sealed = False

    def add(self, batch: Batch) -> BatchVerdict | None:
        """Take a batch. Streaming tables are judged at once; small ones at `seal` (None)."""
        if batch.table in STREAMING:
            if not self._sealed:
                self.seal()
            return self._stream(batch)
        if self._sealed:
            raise RuntimeError(f"table {batch.table} came after the small tables were sealed")
        self._waiting.setdefault(batch.table, []).append(batch)
        return None

    def seal(self) -> None:
        """All small tables are there: judge them and settle which patients are held."""
        self._sealed = True
        for name, table in self._catalog.tables.items():
            if name in self._waiting:
                self._tables[name] = table_data(table, self._waiting.pop(name))
        self._chosen = {name: self._runnable(data) for name, data in self._tables.items()}
        now = [check for checks in self._chosen.values() for check in checks if check.by_row]
        self._book.expect(check for check in now if not check.partial)
        for data in self._tables.values():
            self._judge_small(data)
        for data in self._tables.values():
            self._judge_doubts(data)
        self._patients = self._holds.patients()
        held = {name: self._holds.rows(name)["row_id"] for name in self._tables}
        self._book.hold(self._patients, held)

    def finish(
        self,
        sources: pl.DataFrame,
        column_map: pl.DataFrame,
        address: pl.DataFrame,
        *,
        file_issues: pl.DataFrame | None = None,
        looked: Collection[str] = (),
    ) -> CheckOutcome:
        """All that was found. `looked`: rules that reading and mapping report to have judged."""
        if not self._sealed:
            self.seal()
        late = {name: self._finish_stream(state) for name, state in self._streamed.items()}
        self._judge_linked()
        for check, data, events in self._events.settle(self._plan, self._tables, self._tallies):
            self._findings.add_events(check, data, events)
        misspelt = self._file_issues(file_issues)
        frames = {name: data.frame for name, data in self._tables.items()}
        settled = renamed(settle(frames, self._holds), misspelt)
        kept, held, reasons = divide(frames, settled)
        ledger: Lines = lines_of(settled) if frames else Counter()
        for name, state in self._streamed.items():
            reasons[name] = renamed(pl.concat([*state.reasons, late[name]]), misspelt)
            homes = pl.concat([*state.held, state.late.sources(late[name]["row_id"])])
            if homes.height:
                homes = homes.join(reasons[name], on="row_id")
            ledger += lines_of_stream(name, state.totals, homes)
        findings, fields = self._findings.finish(sources, column_map, address)
        excluded = self._patients.filter(pl.col("outcome") == "excluded")["patient_id"]
        delivered = {*self._tables, *self._streamed}
        return CheckOutcome(
            findings, fields, kept, held, reasons, late, frozenset(excluded.to_list()),
            check_run(self._plan, self._tallies, delivered, self._findings.counts(), looked),
            ledger_lines(ledger),
        )  # fmt: skip

    def _file_issues(self, issues: pl.DataFrame | None) -> pl.DataFrame:
        """Adds them; an orphan whose id has the wrong form is told of the form only (its row ids)."""
        if issues is None:
            return pl.DataFrame(schema={"row_id": pl.Int64()})
        self._findings.add_file_issues(issues)
        patients = issues.filter(pl.col("rule_id") == "STR-04")["patient_id"].unique().drop_nulls()
        return self._findings.replace_rule("STR-03", "STR-04", patients, MISSPELT)

    def _judge_small(self, data: TableData) -> None:
        hold_issues(self._holds, data, self._findings.add_issues(data))
        checks = self._chosen[data.name]
        by_row = [check for check in checks if check.by_row and not check.partial]
        frame = with_derived(self._book.join(data.frame, by_row), data, by_row, self._derived)
        self._collect(data, frame, by_row)
        for check in checks:
            if check.unique:
                self._tallies.ran(check, filled(data.frame, check.unique))
                self._copies(check, data)

    def _judge_doubts(self, data: TableData) -> None:
        """Partial dates that may violate, once it is known which rows of all tables are held."""
        checks = [check for check in self._chosen[data.name] if check.partial]
        checks = in_doubt(data.frame, checks, self._tallies, self._book)
        if checks:
            self._collect(data, self._book.join(data.frame, checks), checks)

    def _stream(self, batch: Batch) -> BatchVerdict:
        table = self._catalog.tables[batch.table]
        data = table_data(table, [batch])
        if batch.table not in self._streamed:
            self._streamed[batch.table] = Streamed(LateRows(self._catalog, table, self._plan))
        state = self._streamed[batch.table]
        with self._own_holds():
            hold_issues(self._holds, data, self._findings.add_issues(data))
            by_row = [check for check in self._runnable(data) if check.by_row]
            by_row = in_doubt(data.frame, by_row, self._tallies, self._book)
            by_row = in_scope(data.frame, by_row, self._tallies)
            frame = self._book.join(data.frame, by_row, numbered=True)
            self._collect(data, frame, by_row)
            kept, held, reasons = split(data.frame, own := self._holds.rows(data.name), frame)
        state.reasons.append(reasons)
        state.totals.update(dict(data.frame["source_id"].value_counts().iter_rows()))
        state.held.append(held.select("row_id", "source_id"))
        state.late.add(data, frame, own["row_id"])
        return BatchVerdict(kept, held, reasons)

    def _finish_stream(self, state: Streamed) -> pl.DataFrame:
        """Rules about a streaming table as a whole; REASON of rows to move to quarantine."""
        obstacle = state.late.obstacle
        if obstacle is not None:
            for check in state.late.checks:
                self._tallies.of(check).missing = obstacle
            return NO_REASONS
        with self._own_holds():
            for check in state.late.checks:
                if check.unique:
                    judged, data = state.late.copies(check, self._book)
                    self._tallies.ran(check, judged)
                    if data is not None:
                        self._copies(check, data)
            self._judge_late(state.late)
            own = self._holds.rows(state.late.table)
        return own.join(pl.concat(state.reasons), on="row_id", how="anti")

    def _judge_late(self, late: LateRows) -> None:
        """All rows are judged by numbers; those around a failing row are then looked at in full."""
        compact = late.compact()
        book = self._book_with(compact, late.checks, self._book)
        chosen = in_doubt(compact.frame, self._runnable(compact, book), self._tallies, book)
        chosen = in_scope(compact.frame, chosen, self._tallies)
        book = self._book_with(compact, chosen, self._book)
        failing = judge(book.join(compact.frame, chosen), chosen, self._tallies)
        if not failing:
            return
        data = late.around(pl.concat([rows for _, rows in failing]).unique().sort(), self._book)
        checks = [check for check, _ in failing]
        book = self._book_with(data, checks)
        frame = book.join(data.frame, checks)
        self._report(data, frame, judge(frame, checks, Tallies()), book)

    def _judge_linked(self) -> None:
        """Rules on small tables that look at streaming ones: judged when all rows are known."""
        linked = [c for c in self._plan.checks if c.late and c.table in self._tables]
        if not linked:
            return
        names = {name for check in linked for name in check.contexts}
        streamed = {n: state.late.linked(names, self._book) for n, state in self._streamed.items()}
        book = ContextBook(self._plan, {**self._tables, **streamed}, self._facts, only=names)
        for name in dict.fromkeys(check.table for check in linked):
            data = self._tables[name]
            checks = self._runnable(data, book)
            frame = with_derived(book.join(data.frame, checks), data, checks, self._derived)
            self._report(data, frame, judge(frame, checks, self._tallies), book)

    def _book_with(
        self, data: TableData, checks: list[PlannedCheck], numbers: ContextBook | None = None
    ) -> ContextBook:
        names = {name for check in checks for name in check.contexts}
        late = {n: s.late for n, s in self._streamed.items() if n != data.name}
        streams = {
            n: rows.compact() if numbers else rows.linked(names, self._book)
            for n, rows in late.items() if rows.shows(names)
        }  # fmt: skip
        tables = {**self._tables, **streams, data.name: data}
        return book_of(self._plan, tables, self._facts, checks, numbers)

    @contextmanager
    def _own_holds(self) -> Iterator[None]:
        """Holds of a streaming table are settled at once and not kept."""
        holds, self._holds = self._holds, Holds()
        try:
            yield
        finally:
            self._holds = holds

    def _runnable(self, data: TableData, book: ContextBook | None = None) -> list[PlannedCheck]:
        return runnable(
            applicable(self._plan, data.name, bool(book), self._facts, self._tallies),
            data,
            book or self._book,
            self._derived,
            self._facts.columns,
            self._tallies,
        )

    def _collect(self, data: TableData, frame: pl.DataFrame, checks: list[PlannedCheck]) -> None:
        self._report(data, frame, judge(frame, checks, self._tallies), self._book)

    def _report(
        self, data: TableData, frame: pl.DataFrame, failing: Failing, book: ContextBook
    ) -> None:
        """Findings and holds of failing rows; `frame` is the judged frame with its contexts.

        Checks that blame another table, or of partial dates, come last: a row that is held back is
        no evidence.
        """
        last = sorted(failing, key=lambda item: item[0].about is not None or bool(item[0].partial))
        own = frame[data.frame.columns] if failing else frame
        for check, positions in last:
            found, explained = without_issues(check, positions, data.issues)
            raised = hold_explained(self._holds, data, check, frame, explained)
            self._findings.raise_dispositions(raised)
            rows = own.gather(found)
            if check.partial:
                sound = unheld(check, data, rows, self._holds, self._settled, book)
                rows, found = rows.filter(sound), found.filter(sound)
            if found.is_empty():
                continue
            if check.about is not None:
                sound = ~rows["row_id"].is_in(self._holds.rows(data.name)["row_id"].implode())
                if sound.any():
                    self._events.add(check, data, rows.filter(sound), found.filter(sound))
                continue
            self._findings.add(check, data, rows, found, book)
            hold_failing(self._holds, data, check, rows)

    def _copies(self, check: PlannedCheck, data: TableData) -> None:
        if (marked := copies(data, check))["flagged"].any():
            hold_copies(self._holds, data, check, self._findings.add_copies(check, data, marked))


__all__ = ["BatchVerdict", "CheckOutcome", "Checker", "Derived"]
