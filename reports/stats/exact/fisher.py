"""Fisher's exact test of a table of counts of any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.stats.exact.contingency import Table, filled
from reports.stats.exact.odds_ratio import OddsRatio, conditional_odds_ratio
from reports.stats.exact.table_paths import (
    SLACK,
    LogChoose,
    exact_p,
    log_hypergeometric,
    log_probability,
)

EXACT = "Fisher's exact test"
SIMULATED = "Fisher's test, simulated ({n} tables, seed {seed})"
LIMIT = 100_000_000


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
    p = exact_p(oriented, limit)
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


def _simulated(table: Table, n: int, seed: int) -> float:
    """(1 + tables at most as probable) / (n + 1) over random tables with the same margins."""
    generator = np.random.default_rng(seed)
    choose = LogChoose(int(table.sum()))
    bound = log_probability(table, choose) + SLACK
    rows = np.repeat(table.sum(axis=1)[None, :], n, axis=0)
    log_p = np.zeros(n)
    for column in table.sum(axis=0)[:-1]:
        left = np.full(n, column)
        for row in range(table.shape[0] - 1):
            good, bad = rows[:, row].copy(), rows[:, row + 1 :].sum(axis=1)
            value = generator.hypergeometric(good, bad, left)
            log_p += log_hypergeometric(choose, good, bad, left, value)
            rows[:, row] -= value
            left = left - value
        rows[:, -1] -= left
    return (1 + int((log_p <= bound).sum())) / (n + 1)
