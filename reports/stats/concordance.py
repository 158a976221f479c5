"""Concordance: does the one with the higher predicted risk have the event earlier?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.stats.checks import flags, numbers, same_size
from reports.stats.times import Bools, Floats, Ints

# Predictors closer than this share of their size are one value with rounding.
SAME = 1e-12
# Blocks of this many rows are compared all with all before larger blocks are merged.
BASE = 32


@dataclass(frozen=True)
class Concordance:
    """Pairs in which the order of the events is known, by how the predictor orders them.

    `value` is (concordant + tied_x / 2) / (concordant + discordant + tied_x); NaN without such pairs. `counts` has
    a row per stratum: concordant, discordant, tied_x, tied_y (two events at one time), tied_xy.
    """

    value: float
    std_err: float
    counts: Ints

    @property
    def totals(self) -> tuple[int, ...]:
        """The counts over all strata."""
        return tuple(int(count) for count in self.counts.sum(axis=0))


def concordance(
    time: Floats,
    event: Bools,
    risk: Floats,
    *,
    entry: Floats | None = None,
    stratum: NDArray[Any] | None = None,
    cluster: NDArray[Any] | None = None,
) -> Concordance:
    """Concordance of a predicted risk with the observed times, and its standard error.

    A pair counts if one has the event while the other is at risk and outlives it (who is censored at the time
    of the event outlives it). Time: n log^2 n.

    Args:
        time: Near-equal times merged before.
        event: True where the event was seen.
        risk: Higher means earlier.
        entry: Start of each row's interval.
        stratum: Only rows of one stratum are compared.
        cluster: Rows of one value are one observation for the standard error.

    Source:
        Harrell 1982; standard error by the infinitesimal jackknife, R, survival 3.5, `concordance`.

    Raises:
        ValueError: A time, an entry or a risk is missing or infinite, or an event is coded otherwise than 0 and 1 or
            False and True.
    """
    time, event, risk = numbers(time, "time"), flags(event, "event"), numbers(risk, "risk")
    entry = None if entry is None else numbers(entry, "entry")
    same_size(time=time, event=event, risk=risk, entry=entry)
    strata = _codes(stratum, time.size)
    x = _ranked(risk)
    pairs = _influence(time, event, x, entry, strata)
    n_strata = int(strata.max()) + 1 if strata.size else 1
    own = np.stack([np.bincount(strata, pairs[:, k], n_strata) for k in range(3)], axis=1) / 2
    tied_events = _tied_events(time, event, x, strata, n_strata)
    counts = np.column_stack([own, tied_events]).round().astype(np.int64)
    concordant, discordant, tied = counts[:, :3].sum(axis=0)
    comparable = concordant + discordant + tied
    if comparable == 0:
        return Concordance(float("nan"), float("nan"), counts)
    somers = (concordant - discordant) / comparable
    change = (pairs[:, 0] - pairs[:, 1] - somers * pairs.sum(axis=1)) / comparable
    if cluster is not None:
        change = np.bincount(_codes(cluster, time.size), change)
    return Concordance(float((somers + 1) / 2), float(np.sqrt((change**2).sum()) / 2), counts)


def _codes(values: NDArray[Any] | None, n: int) -> Ints:
    if values is None:
        return np.zeros(n, dtype=np.int64)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _ranked(risk: Floats) -> Ints:
    """Dense ranks; values that differ by rounding share one."""
    distinct, position = np.unique(risk, return_inverse=True)
    if not distinct.size:
        return position.astype(np.int64)
    gaps = np.diff(distinct) > SAME * np.maximum(1.0, np.abs(distinct[1:]))
    return np.concatenate([[0], np.cumsum(gaps)])[position].astype(np.int64)


def _influence(time: Floats, event: Bools, x: Ints, entry: Floats | None, strata: Ints) -> Floats:
    """Of each row, the pairs that it is in: concordant, discordant, tied in x."""
    moments = np.unique(time if entry is None else np.concatenate([time, entry]))
    width = 2 * moments.size + 2
    # Events of one time stand before those censored at it; a row outlives the events that stand before it.
    place = strata * width + 2 * np.searchsorted(moments, time) + ~event
    # Rows of later strata have larger ranks, so that they are never counted as smaller.
    rank = x + strata * (int(x.max()) + 1 if x.size else 1)
    sums = _pairs(place[event], rank[event], strata[event], place, rank, strata, event)
    if entry is not None:
        entered = strata * width + 2 * np.searchsorted(moments, entry)
        # At risk are those that entered before the event: take off those that entered at it or later.
        sums -= _pairs(place[event] - 1, rank[event], strata[event], entered, rank, strata, event)
    return sums


def _pairs(
    at: Ints, rank: Ints, stratum: Ints, places: Ints, ranks: Ints, strata: Ints, event: Bools
) -> Floats:
    """Pairs of an event (`at`) and a row of its stratum that stands after it, added up for both."""
    n = places.size
    step = int(strata.max()) + 2 if n else 1
    order, at_order = np.sort(places), np.sort(at)
    stratum_end = np.searchsorted(np.sort(strata), np.arange(step), side="right")
    stratum_start = np.searchsorted(np.sort(stratum), np.arange(step), side="left")
    below, above = _below_and_above(at, rank, places, ranks)
    # The same rank: sorted by rank and place, rows behind the event; events before the row.
    span = int(max(places.max(), at.max(), 0)) + 2 if n and at.size else 1
    key_row, key_event = ranks * span + places, rank * span + at
    rows_sorted, events_sorted = np.sort(key_row), np.sort(key_event)
    behind = np.searchsorted(rows_sorted, (rank + 1) * span) - np.searchsorted(
        rows_sorted, key_event, side="right"
    )
    ahead = np.searchsorted(events_sorted, key_row) - np.searchsorted(events_sorted, ranks * span)
    after = stratum_end[stratum] - np.searchsorted(order, at, side="right")
    before = np.searchsorted(at_order, places) - stratum_start[strata]
    sums = np.column_stack([above, before - above - ahead, ahead]).astype(np.float64)
    sums[event] += np.column_stack([below, after - below - behind, behind])
    return sums


def _below_and_above(at: Ints, rank: Ints, places: Ints, ranks: Ints) -> tuple[Ints, Ints]:
    """Of each event the rows after it with a smaller rank; of each row the events before it with a larger one.

    Both are counted while blocks of the rows and events, sorted by place, are merged in pairs: an event in
    the left half meets the rows in the right half.
    """
    n_events = at.size
    place = np.concatenate([at, places])
    value = np.concatenate([rank, ranks])
    is_event = np.arange(place.size) < n_events
    # At one place rows stand first: they are not after the event.
    order = np.lexsort((is_event, place))
    value, is_event = value[order], is_event[order]
    found = _within_blocks(value, is_event)
    position = np.arange(value.size)
    size = BASE
    while size < value.size:
        block, right = position // (2 * size), (position // size) % 2 == 1
        _merge_halves(found, value, block, is_event & ~right, ~is_event & right)
        size *= 2
    counts = np.empty_like(found)
    counts[order] = found
    return counts[:n_events], counts[n_events:]


def _merge_halves(found: Ints, value: Ints, block: Ints, events: Bools, rows: Bools) -> None:
    width = int(value.max()) + 2
    key = block * width + value
    row_keys, event_keys = np.sort(key[rows]), np.sort(key[events])
    found[events] += np.searchsorted(row_keys, key[events]) - np.searchsorted(
        row_keys, block[events] * width
    )
    found[rows] += np.searchsorted(event_keys, (block[rows] + 1) * width) - np.searchsorted(
        event_keys, key[rows], side="right"
    )


def _within_blocks(value: Ints, is_event: Bools) -> Ints:
    """The same counts within each block of `BASE`, all with all."""
    n = value.size
    blocks = -(-n // BASE)
    padded = np.zeros(blocks * BASE, dtype=np.int64)
    kind = np.full(blocks * BASE, -1)
    padded[:n], kind[:n] = value, is_event
    v, k = padded.reshape(blocks, BASE), kind.reshape(blocks, BASE)
    earlier = np.triu(np.ones((BASE, BASE), bool), 1)
    pair = (k == 1)[:, :, None] & (k == 0)[:, None, :] & earlier
    pair &= v[:, None, :] < v[:, :, None]
    found = pair.sum(axis=2) + pair.sum(axis=1)
    return np.asarray(found.reshape(-1)[:n], dtype=np.int64)


def _tied_events(time: Floats, event: Bools, x: Ints, strata: Ints, n_strata: int) -> Floats:
    """Per stratum: pairs of events at one time with different x, and with the same x."""
    moment = np.unique(time, return_inverse=True)[1][event] + strata[event] * (time.size + 1)
    same_time = _pairs_within(moment, strata[event], n_strata)
    cell = moment * (int(x.max()) + 1 if x.size else 1) + x[event]
    same_both = _pairs_within(cell, strata[event], n_strata)
    return np.column_stack([same_time - same_both, same_both])


def _pairs_within(cell: Ints, strata: Ints, n_strata: int) -> Floats:
    _, first, counts = np.unique(cell, return_index=True, return_counts=True)
    pairs = counts * (counts - 1) / 2
    sums = np.bincount(strata[first], pairs, minlength=n_strata)
    return np.asarray(sums, dtype=np.float64)
