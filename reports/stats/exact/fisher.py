"""Fisher's exact test of a table of counts of any size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.stats.exact.contingency import Table, filled
from reports.stats.exact.odds_ratio import OddsRatio, conditional_odds_ratio
from reports.stats.times import Floats

Integers = NDArray[np.int64]

EXACT = "Fisher's exact test"
SIMULATED = "Fisher's test, simulated ({n} tables, seed {seed})"
LIMIT = 100_000_000
BLOCK = 2_000_000
# Tables as probable as the observed one up to rounding count as such (R's relative tolerance).
SLACK = math.log1p(1e-7)


@dataclass(frozen=True)
class Fisher:
    """P of the test and how it was found; the odds ratio of a 2 x 2 table (conditional estimate), else None."""

    p: float
    exact: bool
    method: str
    odds_ratio: OddsRatio | None


def fisher(
    table: Table,
    *,
    limit: int = LIMIT,
    simulated: int = 100_000,
    seed: int = 20_240_117,
    level: float = 0.95,
    tolerance: float = 1e-12,
) -> Fisher | None:
    """Two-sided exact test of independence of rows and columns, given both margins.

    P adds the probabilities of all tables that are at most as probable as the observed one. Tables are built
    cell by cell; a beginning that is already improbable enough counts with all its ends, so that few tables
    are ever finished. A table that would take more than `limit` steps is simulated, and labelled so.

    Args:
        table: Counts; rows and columns in which nobody is are left out.
        limit: Steps after which the test is simulated (100 million are some seconds).
        simulated: Number of simulated tables.
        seed: Seed of the simulation.
        level: Level of the interval of the odds ratio.
        tolerance: To which its equations are solved; `odds_ratio.R_TOLERANCE` gives R's digits.

    Returns:
        None where fewer than two rows or columns are filled.

    Source:
        Fisher 1935; Freeman and Halton 1951 for larger tables; R, `fisher.test`.
    """
    counts = filled(table)
    if min(counts.shape) < 2:
        return None
    oriented = _ordered(counts)
    p = _exact(oriented, limit)
    ratio = (
        conditional_odds_ratio(counts, level=level, tolerance=tolerance)
        if counts.shape == (2, 2)
        else None
    )
    if p is not None:
        return Fisher(min(p, 1.0), True, EXACT, ratio)
    method = SIMULATED.format(n=simulated, seed=seed)
    return Fisher(_simulated(oriented, simulated, seed), False, method, ratio)


def _ordered(table: Table) -> Table:
    """Not more rows than columns, the fullest first: improbable beginnings show early."""
    turned = table if table.shape[0] <= table.shape[1] else table.T
    rows = np.argsort(-turned.sum(axis=1), kind="stable")
    columns = np.argsort(-turned.sum(axis=0), kind="stable")
    ordered: Table = turned[rows][:, columns]
    return ordered


@dataclass(frozen=True)
class _Begun:
    """Tables begun: log probability so far, persons left in each row, persons left in the current column."""

    cell: int
    log_p: Floats
    rows: Integers
    column: Integers


class _LogChoose:
    """Logarithms of binomial coefficients up to a number of persons, looked up."""

    def __init__(self, n: int) -> None:
        from scipy.special import gammaln

        self._factorial: Floats = gammaln(np.arange(n + 1, dtype=np.float64) + 1)

    def __call__(self, n: Integers, k: Integers) -> Floats:
        f = self._factorial
        value: Floats = f[n] - f[k] - f[n - k]
        return value


def _exact(table: Table, limit: int) -> float | None:
    """P by building tables column by column, cell by cell; None above the limit of steps."""
    choose = _LogChoose(int(table.sum()))
    bound = _log_probability(table, choose) + SLACK
    columns = table.sum(axis=0)
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
        if grown is not None:
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
    choose: _LogChoose,
    bound: float,
    columns: Integers,
) -> tuple[float, _Begun | None]:
    """All values of the next cell: probability of those that count for P, and the tables to go on with."""
    row, good, bad = _margins(block)
    parent = np.repeat(np.arange(size.size), size)
    value = low[parent] + np.arange(parent.size) - np.repeat(np.cumsum(size) - size, size)
    log_p = block.log_p[parent] + _hypergeometric(
        choose, good[parent], bad[parent], block.column[parent], value
    )
    counted = float(np.exp(log_p[log_p <= bound]).sum())
    going = log_p > bound
    if block.cell + 1 == (block.rows.shape[1] - 1) * (columns.size - 1) or not going.any():
        return counted, None
    return counted, _next(block, row, parent[going], value[going], log_p[going], columns)


def _halves(block: _Begun) -> list[_Begun]:
    half = block.log_p.size // 2
    return [
        _Begun(block.cell, block.log_p[part], block.rows[part], block.column[part])
        for part in (slice(None, half), slice(half, None))
    ]


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


def _hypergeometric(
    choose: _LogChoose, good: Integers, bad: Integers, drawn: Integers, value: Integers
) -> Floats:
    return choose(good, value) + choose(bad, drawn - value) - choose(good + bad, drawn)


def _log_probability(table: Table, choose: _LogChoose) -> float:
    """Log probability of a table given its margins, cell by cell as the tables are built."""
    rows = table.sum(axis=1)
    total = 0.0
    for column in table.T[:-1]:
        left = column.sum(keepdims=True)
        for row in range(table.shape[0] - 1):
            good, bad = rows[row : row + 1], rows[row + 1 :].sum(keepdims=True)
            total += float(_hypergeometric(choose, good, bad, left, column[row : row + 1])[0])
            left = left - column[row]
        rows = rows - column
    return total


def _simulated(table: Table, n: int, seed: int) -> float:
    """(1 + tables at most as probable) / (n + 1) over random tables with the same margins."""
    generator = np.random.default_rng(seed)
    choose = _LogChoose(int(table.sum()))
    bound = _log_probability(table, choose) + SLACK
    rows = np.repeat(table.sum(axis=1)[None, :], n, axis=0)
    log_p = np.zeros(n)
    for column in table.sum(axis=0)[:-1]:
        left = np.full(n, column)
        for row in range(table.shape[0] - 1):
            good, bad = rows[:, row].copy(), rows[:, row + 1 :].sum(axis=1)
            value = generator.hypergeometric(good, bad, left)
            log_p += _hypergeometric(choose, good, bad, left, value)
            rows[:, row] -= value
            left = left - value
        rows[:, -1] -= left
    return (1 + int((log_p <= bound).sum())) / (n + 1)
