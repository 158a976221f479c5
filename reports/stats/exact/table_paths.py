"""All tables with given margins, cell by cell: the probability of those that are at most as probable as one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.stats.exact.contingency import Table
from reports.stats.times import Bools, Floats

Integers = NDArray[np.int64]

# Cells that are filled at once: more do not fit into the caches of a processor.
BLOCK = 100_000
# Tables as probable as the observed one up to rounding count as such (R's relative tolerance).
SLACK = math.log1p(1e-7)


@dataclass(frozen=True)
class _Begun:
    """Tables begun: log probability so far, persons left in each row, persons left in the current column."""

    cell: int
    log_p: Floats
    rows: Integers
    column: Integers


class LogChoose:
    """Logarithms of binomial coefficients up to a number of persons, looked up."""

    def __init__(self, n: int) -> None:
        from scipy.special import gammaln

        self._factorial: Floats = gammaln(np.arange(n + 1, dtype=np.float64) + 1)

    def __call__(self, n: Integers, k: Integers) -> Floats:
        """Log of the number of ways to choose k of n."""
        f = self._factorial
        value: Floats = f[n] - f[k] - f[n - k]
        return value


def exact_p(table: Table, limit: int) -> float | None:
    """P of Fisher's test: probability of all tables that are at most as probable as this one.

    Args:
        table: Counts, at least 2 x 2, no empty row or column.
        limit: Cells that may be filled.

    Returns:
        None above the limit.
    """
    choose = LogChoose(int(table.sum()))
    bound = log_probability(table, choose) + SLACK
    columns = table.sum(axis=0)
    ends = [_Ends.of(columns[k:], int(table.sum(axis=1).max())) for k in range(columns.size)]
    sums: list[float] = []
    steps = 0
    waiting = [_Begun(0, np.zeros(1), table.sum(axis=1)[None, :], columns[:1])]
    while waiting:
        block = waiting.pop()
        low, size = _range(block)
        total = int(size.sum())
        if total > BLOCK and size.size > 1:
            waiting += _halves(block)
            continue
        steps += total
        if steps > limit:
            return None
        counted, grown = _grown(block, low, size, choose, bound, columns)
        sums.append(counted)
        if grown is None:
            continue
        column, inside = divmod(grown.cell, table.shape[0] - 1)
        if inside == 0:
            best = grown.log_p + ends[column].highest(grown.rows)
            sums.append(float(np.exp(grown.log_p[best <= bound]).sum()))
            grown = _part(grown, best > bound)
        if grown.log_p.size:
            waiting.append(grown)
    return math.fsum(sums)


def _margins(block: _Begun) -> tuple[int, Integers, Integers]:
    """The row that is filled next, the persons left in it and in the rows after it."""
    row = block.cell % (block.rows.shape[1] - 1)
    return row, block.rows[:, row], block.rows[:, row + 1 :].sum(axis=1)


def _range(block: _Begun) -> tuple[Integers, Integers]:
    """The lowest value of the next cell of each table, and how many values it can take."""
    _, good, bad = _margins(block)
    low = np.maximum(0, block.column - bad)
    return low, np.minimum(good, block.column) - low + 1


def _grown(
    block: _Begun,
    low: Integers,
    size: Integers,
    choose: LogChoose,
    bound: float,
    columns: Integers,
) -> tuple[float, _Begun | None]:
    """All values of the next cell: probability of those that count for P, and the tables to go on with."""
    row, good, bad = _margins(block)
    parent = np.repeat(np.arange(size.size), size)
    value = low[parent] + np.arange(parent.size) - np.repeat(np.cumsum(size) - size, size)
    log_p = block.log_p[parent] + log_hypergeometric(
        choose, good[parent], bad[parent], block.column[parent], value
    )
    counted = float(np.exp(log_p[log_p <= bound]).sum())
    going = log_p > bound
    if block.cell + 1 == (block.rows.shape[1] - 1) * (columns.size - 1) or not going.any():
        return counted, None
    return counted, _next(block, row, parent[going], value[going], log_p[going], columns)


def _halves(block: _Begun) -> list[_Begun]:
    half = block.log_p.size // 2
    return [_part(block, part) for part in (slice(None, half), slice(half, None))]


def _part(block: _Begun, part: slice | Bools) -> _Begun:
    return _Begun(block.cell, block.log_p[part], block.rows[part], block.column[part])


@dataclass(frozen=True)
class _Ends:
    """How probable the best end of a table can be, when some whole columns are left.

    Given its margins, a table of N persons with shares p of the columns has the probability of one multinomial
    draw per row, over that of one for all; the best draw of a row bounds it. `best[r]` is the log of that for r
    persons: r factorial times the r highest of all p / 1, p / 2, ...
    """

    best: Floats
    all_rows: float

    @classmethod
    def of(cls, columns: Integers, largest: int) -> _Ends:
        """By the columns that are left and the largest number of persons in a row."""
        from scipy.special import gammaln

        n = int(columns.sum())
        share = np.log(columns / n)
        quotients = share[:, None] - np.log(np.arange(1, largest + 1))
        highest = -np.sort(-quotients, axis=None)[:largest]
        persons = np.arange(largest + 1, dtype=np.float64)
        best: Floats = gammaln(persons + 1) + np.concatenate([[0.0], np.cumsum(highest)])
        whole = gammaln(n + 1) - gammaln(columns + 1).sum() + (columns * share).sum()
        return cls(best, float(whole))

    def highest(self, rows: Integers) -> Floats:
        """Upper bound of the log probability of all ends; a row per table, persons left in each row."""
        total: Floats = self.best[rows].sum(axis=1) - self.all_rows
        # Room for rounding: the bound must not lie below an end.
        return np.minimum(total + 1e-9, 0.0)


def _next(
    block: _Begun,
    row: int,
    parent: Integers,
    value: Integers,
    log_p: Floats,
    columns: Integers,
) -> _Begun:
    """The tables with one more cell filled; after the last free cell of a column its last row takes the rest."""
    rows = block.rows[parent]
    rows[:, row] -= value
    left = block.column[parent] - value
    cell = block.cell + 1
    per_column = rows.shape[1] - 1
    if cell % per_column == 0:
        rows[:, -1] -= left
        left = np.full_like(left, columns[cell // per_column])
    return _Begun(cell, log_p, rows, left)


def log_hypergeometric(
    choose: LogChoose, good: Integers, bad: Integers, drawn: Integers, value: Integers
) -> Floats:
    """Log probability of drawing `value` of the good ones among `drawn` from good and bad ones."""
    return choose(good, value) + choose(bad, drawn - value) - choose(good + bad, drawn)


def log_probability(table: Table, choose: LogChoose) -> float:
    """Log probability of a table given its margins, cell by cell as the tables are built."""
    rows = table.sum(axis=1)
    total = 0.0
    for column in table.T[:-1]:
        left = column.sum(keepdims=True)
        for row in range(table.shape[0] - 1):
            good, bad = rows[row : row + 1], rows[row + 1 :].sum(keepdims=True)
            total += float(log_hypergeometric(choose, good, bad, left, column[row : row + 1])[0])
            left = left - column[row]
        rows = rows - column
    return total
