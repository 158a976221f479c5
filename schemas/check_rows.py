"""Judging rows: one select of all expressions of a table, then only what failed is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas.check_context import ContextBook
from schemas.check_data import CheckFacts, TableData
from schemas.check_few import FEW
from schemas.check_many import SMALL
from schemas.check_plan import Plan, PlannedCheck

Derived = Mapping[str, Callable[[pl.DataFrame], pl.Series]]
SHIFTED = "the center shifted its dates on purpose: days of the calendar say nothing"


@dataclass(slots=True)
class Tally:
    """What became of one check: rows judged and failing, or why it was not judged."""

    judged: int = 0
    failing: int = 0
    ran: bool = False
    missing: str | None = None
    error: str | None = None


@dataclass(slots=True)
class Tallies:
    """Tallies of all checks of a delivery, by the number of the check."""

    by_check: dict[int, Tally] = field(default_factory=dict)

    def of(self, check: PlannedCheck) -> Tally:
        """The tally of a check, made when first asked for."""
        return self.by_check.setdefault(check.number, Tally())

    def ran(self, check: PlannedCheck, judged: int) -> None:
        """The check could judge `judged` rows."""
        tally = self.of(check)
        tally.ran = True
        tally.judged += judged


def runnable(
    checks: Sequence[PlannedCheck],
    data: TableData,
    book: ContextBook,
    derived: Mapping[str, object],
    facts: Mapping[str, object],
    tallies: Tallies,
) -> list[PlannedCheck]:
    """The checks whose columns are all there; why the others cannot run is noted in the tallies."""
    chosen = []
    for check in checks:
        reason = _obstacle(check, data, book, derived, facts)
        if reason is None:
            chosen.append(check)
        else:
            tallies.of(check).missing = reason
    return chosen


def applicable(
    plan: Plan, table: str, late: bool, facts: CheckFacts, tallies: Tallies
) -> list[PlannedCheck]:
    """The checks of a table, late ones or the others, without those that shifted dates make empty."""
    checks = [check for check in plan.of_table(table) if check.late == late]
    if not facts.dates_shifted:
        return checks
    for check in checks:
        if plan.rules[check.rule]["calendar"]:
            tallies.of(check).missing = SHIFTED
    return [check for check in checks if not plan.rules[check.rule]["calendar"]]


def in_scope(
    frame: pl.DataFrame, checks: Sequence[PlannedCheck], tallies: Tallies
) -> list[PlannedCheck]:
    """Of checks on many rows those that apply to some row; what the others look at is not built."""
    scopes = {c.name: c.own_scope for c in checks if c.own_scope is not None}
    if not scopes or frame.height < SMALL:
        return list(checks)
    found = frame.select(scope.any().alias(name) for name, scope in scopes.items()).row(
        0, named=True
    )
    chosen = []
    for check in checks:
        if found.get(check.name, True):
            chosen.append(check)
        else:
            tallies.ran(check, 0)
    return chosen


def _obstacle(
    check: PlannedCheck,
    data: TableData,
    book: ContextBook,
    derived: Mapping[str, object],
    facts: Mapping[str, object],
) -> str | None:
    for column in check.reads:
        if column not in data.delivered:
            return f"column {data.name}.{column} is not delivered"
    for name in check.derived:
        if name not in derived:
            return f"{name} is not computed by the caller"
    for name, columns in check.contexts.items():
        reason = book.missing(name, columns)
        if reason is not None:
            return reason
    for name in check.facts:
        if facts[name] is None:
            return f"{name} is not known"
    return None


def with_derived(
    frame: pl.DataFrame, data: TableData, checks: Sequence[PlannedCheck], derived: Derived
) -> pl.DataFrame:
    """The frame with the columns that checks read and that the caller computes from the table."""
    names = {name for check in checks for name in check.derived}
    if not names:
        return frame
    return frame.with_columns(derived[name](data.frame).alias(name) for name in sorted(names))


Failing = list[tuple[PlannedCheck, pl.Series]]


def judge(frame: pl.DataFrame, checks: Sequence[PlannedCheck], tallies: Tallies) -> Failing:
    """Positions of the failing rows of each failing check, over a frame with its context columns."""
    rows = [check for check in checks if check.expr is not None]
    if not rows or not frame.height:
        for check in rows:
            tallies.ran(check, 0)
        return []
    masks = _masks(frame, rows, tallies)
    by_name = {mask.name: mask for mask in masks.get_columns()}
    failing = []
    for check in rows:
        mask = by_name.get(check.name)
        if mask is None:
            continue
        tallies.ran(check, frame.height - mask.null_count())
        if mask.any():
            failing.append((check, mask.arg_true()))
    return failing


def _masks(frame: pl.DataFrame, checks: Sequence[PlannedCheck], tallies: Tallies) -> pl.DataFrame:
    """One Boolean column per check; a check that cannot be evaluated is left out and noted."""
    try:
        return _select(frame, checks)
    except pl.exceptions.PolarsError:
        whole = []
        for check in checks:
            try:
                whole.append(_select(frame, [check]))
            except pl.exceptions.PolarsError as error:
                tallies.of(check).error = f"could not be evaluated ({type(error).__name__})"
        return pl.concat(whole, how="horizontal") if whole else pl.DataFrame()


def _select(frame: pl.DataFrame, checks: Sequence[PlannedCheck]) -> pl.DataFrame:
    return frame.select(check.expr for check in checks if check.expr is not None)


def without_issues(
    check: PlannedCheck, positions: pl.Series, issues: pl.DataFrame
) -> tuple[pl.Series, pl.DataFrame]:
    """Failing positions that are no consequence of a value that was not understood.

    Also the others: position and the rule of the issue behind, because such rows are held back all
    the same where the check would hold them.
    """
    if issues.is_empty():
        return positions, _NONE
    if issues.height < FEW:
        return _few_without(check, positions, issues)
    behind = issues.filter(
        pl.col("column").is_in(sorted(check.own_columns))
        & ((pl.col("severity") == "error") | (pl.col("column") == "patient_id"))
        & pl.col("index").is_in(positions.implode())
    )
    if behind.is_empty():
        return positions, _NONE
    known = behind.unique(subset="index", keep="first", maintain_order=True)
    rest = positions.filter(~positions.is_in(known["index"].implode()))
    return rest, known.select("index", "rule_id")


def _few_without(
    check: PlannedCheck, positions: pl.Series, issues: pl.DataFrame
) -> tuple[pl.Series, pl.DataFrame]:
    """The same of a few issues, row by row."""
    own, failing = check.own_columns, set(positions.to_list())
    known: dict[int, str | None] = {}
    for index, column, rule_id, severity in issues.select(*_ISSUE).iter_rows():
        matters = column in own and (severity == "error" or column == "patient_id")
        if matters and index in failing:
            known.setdefault(index, rule_id)
    if not known:
        return positions, _NONE
    rest = [place for place in positions.to_list() if place not in known]
    return (
        pl.Series(positions.name, rest, dtype=positions.dtype),
        pl.DataFrame(list(known.items()), schema=_NONE.schema, orient="row"),
    )


_ISSUE = ("index", "column", "rule_id", "severity")
_NONE = pl.DataFrame(schema={"index": pl.UInt32(), "rule_id": pl.String()})


def copies(data: TableData, check: PlannedCheck) -> pl.DataFrame:
    """Rows that share a key: `index`, `group`, `identical` (all of the group), `flagged`.

    Of rows that are the same in every declared column (or in those of `same`) the first is kept;
    where they differ, nobody can say which is right, and all are flagged.
    """
    key = list(check.unique)
    if _all_differ(data.frame[key]):
        return _NO_COPIES
    content = list(check.same) or [name for name in data.frame.columns if name not in _ADDRESS]
    keyed = data.frame.with_row_index("index").drop_nulls(key)
    twice = keyed.filter(pl.struct(key).is_duplicated())
    return _NO_COPIES if twice.is_empty() else mark_copies(twice, key, content)


def _all_differ(keys: pl.DataFrame) -> bool:
    if keys.width == 1:
        return keys.to_series().n_unique() == keys.height
    if keys.height < FEW:
        return len(set(keys.rows())) == keys.height
    return keys.n_unique() == keys.height


_ADDRESS = ("row_id", "source_id", "source_row", "map_id")


def mark_copies(rows: pl.DataFrame, key: list[str], content: list[str]) -> pl.DataFrame:
    """Which of rows that share a key are flagged; input has `index` and comes in file order."""
    group = pl.col("group")
    return (
        rows.select(
            "index",
            pl.struct(key).rank("dense").cast(pl.UInt32).alias("group"),
            pl.struct(content).rank("dense").alias("content"),
        )
        .with_columns(
            (pl.col("content").n_unique().over(group) == 1).alias("identical"),
            (pl.col("index") == pl.col("index").first().over(group)).alias("first"),
        )
        .with_columns((~pl.col("identical") | ~pl.col("first")).alias("flagged"))
        .select("index", "group", "identical", "flagged")
    )


_NO_COPIES = pl.DataFrame(
    schema={
        "index": pl.UInt32(),
        "group": pl.UInt32(),
        "identical": pl.Boolean(),
        "flagged": pl.Boolean(),
    }
)


def filled(frame: pl.DataFrame, columns: tuple[str, ...]) -> int:
    """Rows in which none of the columns is empty."""
    if not any(frame[name].null_count() for name in columns):
        return frame.height
    return frame.select(columns).drop_nulls().height
