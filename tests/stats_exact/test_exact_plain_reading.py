"""Exact tests against a slow reading of their definitions, and what they cannot answer."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.stats.exact.adjust import adjusted
from reports.stats.exact.contingency import chi_squared
from reports.stats.exact.fisher import fisher
from reports.stats.exact.means import describe, welch
from reports.stats.exact.odds_ratio import brent
from reports.stats.exact.proportions import clopper_pearson, wilson
from reports.stats.exact.ranks import kruskal_wallis, rank_sum, wilcoxon
from reports.stats.tables import rank_test

CELLS = st.lists(st.integers(0, 4), min_size=6, max_size=9)


def as_table(cells: list[int], rows: int) -> Any:
    width = len(cells) // rows
    return np.array(cells[: rows * width]).reshape(rows, width)


def slow_fisher(table: Any) -> Fraction:
    """All tables with the same margins, one by one, in whole numbers."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)

    def inverse_weight(cells: Any) -> int:
        return math.prod(math.factorial(int(cell)) for cell in np.ravel(cells))

    observed = inverse_weight(table)
    inner = [range(int(total) + 1) for total in rows[:-1] for _ in columns[:-1]]
    total, extreme = Fraction(0), Fraction(0)
    for cells in itertools.product(*inner):
        top = np.array(cells).reshape(rows.size - 1, columns.size - 1)
        left = np.column_stack([top, rows[:-1] - top.sum(axis=1)])
        whole = np.vstack([left, columns - left.sum(axis=0)])
        if (whole < 0).any():
            continue
        weight = Fraction(1, inverse_weight(whole))
        total += weight
        extreme += weight if inverse_weight(whole) >= observed else 0
    return extreme / total


@given(CELLS, st.sampled_from([2, 3]))
@settings(max_examples=30, deadline=None)
def test_fisher_adds_all_tables_that_are_not_more_probable(cells: list[int], rows: int) -> None:
    table = as_table(cells[:6], rows)
    result = fisher(table)
    used = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(used.shape) < 2:
        assert result is None
        return
    assert result is not None
    assert result.exact
    assert result.p == pytest.approx(float(slow_fisher(used)), rel=1e-10)


@given(CELLS, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_tests_of_tables_do_not_depend_on_the_order_of_rows_and_columns(
    cells: list[int], random: Any
) -> None:
    table = as_table(cells, 3)
    rows, columns = list(range(table.shape[0])), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = table[rows][:, columns].T
    for test in (fisher, chi_squared):
        first, second = test(table), test(moved)
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            assert second.p == pytest.approx(first.p, rel=1e-9)


def test_tea_tasting_by_hand() -> None:
    # 4 of 4 recognised: 1 table in 70 on each side. 3 of 4: 16 in 70 more probable than the ends.
    all_right = fisher(np.array([[4, 0], [0, 4]]))
    three_right = fisher(np.array([[3, 1], [1, 3]]))
    assert all_right is not None
    assert three_right is not None
    assert all_right.p == pytest.approx(2 / 70)
    assert three_right.p == pytest.approx(34 / 70)
    assert all_right.odds_ratio is not None
    assert all_right.odds_ratio.value == math.inf
    assert all_right.odds_ratio.upper == math.inf
    # P(all 4 | odds ratio r) = r^4 / (1 + 16 r + 36 r^2 + 16 r^3 + r^4) is 0.025 at the lower limit.
    r = all_right.odds_ratio.lower
    assert r**4 / (1 + 16 * r + 36 * r**2 + 16 * r**3 + r**4) == pytest.approx(0.025, rel=1e-9)


def test_a_table_above_the_limit_is_simulated_and_says_so() -> None:
    table = np.array([[8, 5, 9], [3, 12, 6], [7, 7, 1]])
    exact, simulated, again = fisher(table), fisher(table, limit=10), fisher(table, limit=10)
    assert exact is not None
    assert simulated is not None
    assert exact.exact
    assert not simulated.exact
    assert "simulated" in simulated.method
    assert "seed" in simulated.method
    assert simulated == again
    error = math.sqrt(exact.p * (1 - exact.p) / 100_000)
    assert simulated.p == pytest.approx(exact.p, abs=5 * error)


def test_tiny_probabilities_keep_their_digits() -> None:
    # The only tables at least as extreme are the two that separate the groups: 2 of C(60, 30).
    result = fisher(np.array([[30, 0], [0, 30]]))
    assert result is not None
    assert result.p == pytest.approx(2 / math.comb(60, 30), rel=1e-9)


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=7),
    st.lists(st.integers(0, 6), min_size=1, max_size=7),
)
@settings(max_examples=60, deadline=None)
def test_rank_sum_counts_pairs(first: list[int], second: list[int]) -> None:
    result = rank_sum(np.array(first, dtype=float), np.array(second, dtype=float))
    pairs = sum((a > b) + (a == b) / 2 for a in first for b in second)
    swapped = rank_sum(np.array(second, dtype=float), np.array(first, dtype=float))
    assert result.statistic == pytest.approx(pairs)
    assert result.statistic + swapped.statistic == pytest.approx(len(first) * len(second))
    assert result.p == pytest.approx(swapped.p, nan_ok=True)
    assert math.isnan(result.p) == (len(set(first + second)) == 1)


@given(st.permutations(range(9)), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_exact_rank_sum_is_the_share_of_all_allocations(ranks: list[int], size: int) -> None:
    result = rank_sum(np.array(ranks[:size], dtype=float), np.array(ranks[size:], dtype=float))
    assert result.exact
    middle = size * (9 - size) / 2
    observed = abs(result.statistic - middle)
    base = size * (size - 1) / 2
    distances = [abs(sum(c) - base - middle) for c in itertools.combinations(range(9), size)]
    share = sum(d >= observed for d in distances) / len(distances)
    assert result.p == pytest.approx(share)


def test_missing_values_and_foreign_labels_are_left_out() -> None:
    x = [1.0, 2.0, math.nan, 4.0, 5.0, 9.0]
    group = ["a", "a", "a", "b", "b", "c"]
    two = wilcoxon(x, group, levels=["a", "b"])
    assert two == rank_sum(np.array([1.0, 2]), np.array([4.0, 5]))
    assert wilcoxon(x, group) is None
    several = kruskal_wallis(x, group)
    assert several is not None
    assert several.df == 2
    assert several.statistic == pytest.approx(3.6)  # ranks 1.5, 3.5, 5: 12 / 30 * (4.5 + 0.5 + 4)
    assert welch(x, group, levels=["b", "c"]) is None
    found = describe(x)
    assert (found.n, found.missing, found.median) == (5, 1, 4.0)
    assert math.isnan(describe([math.nan]).mean)


def test_what_cannot_be_tested_gives_no_number() -> None:
    assert fisher(np.array([[3, 4], [0, 0]])) is None
    assert chi_squared(np.array([[3, 0], [4, 0]])) is None
    assert kruskal_wallis([1.0, 2.0], ["a", "a"]) is None
    assert welch([1.0, 1, 2, 2], ["a", "a", "b", "b"]) is None
    assert math.isnan(rank_test([np.ones(3), np.ones(2), np.ones(4)]).p)
    assert math.isnan(clopper_pearson(0, 0).value)
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="whole numbers"):
        chi_squared(np.array([[1, -1], [2, 3]]))


@given(st.integers(0, 30), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_limits_of_a_share_solve_their_equations(successes: int, more: int) -> None:
    n = successes + more
    exact, score = clopper_pearson(successes, n), wilson(successes, n)
    tail = sum(
        math.comb(n, k) * exact.upper**k * (1 - exact.upper) ** (n - k)
        for k in range(successes + 1)
    )
    assert tail == pytest.approx(0.025, rel=1e-8)
    share, z = successes / n, 1.959963984540054
    assert abs(share - score.upper) == pytest.approx(
        z * math.sqrt(score.upper * (1 - score.upper) / n), rel=1e-9
    )
    mirrored = clopper_pearson(more, n)
    assert mirrored.lower == pytest.approx(1 - exact.upper, abs=1e-12)


def test_p_values_that_are_unknown_stay_unknown_and_are_not_counted() -> None:
    found = adjusted([0.01, math.nan, 0.04])
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert math.isnan(found[1])
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjusted([1.5])


@given(st.floats(0.01, 0.99), st.sampled_from([1e-12, 1e-4]))
@settings(max_examples=50, deadline=None)
def test_roots_are_found_within_the_tolerance(root: float, tolerance: float) -> None:
    found = brent(lambda x: x**3 - root**3, 0.0, 1.0, tolerance)
    assert found == pytest.approx(root, abs=tolerance)
