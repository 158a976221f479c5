"""Which counts are withheld: small ones, and as many others as it takes that none of them can be computed.

A small count is safe when, from all that is printed, it could as well be one that is not small. Whether a cell is
withheld for itself or for another is not told. Zero is printed unless another cell needs it.
"""

from __future__ import annotations

from reports.disclosure.bounds import bounds
from reports.disclosure.system import Cell, System


def withheld(system: System, threshold: int) -> set[Cell]:
    """The printed cells that are withheld.

    Args:
        system: All counts of all tables that leave.
        threshold: Counts from 1 up to below it are small.
    """
    small = system.small(threshold)
    hidden = small | system.unprinted
    while True:
        told = bounds(system, hidden, sorted(small, key=sorted))
        given_away = [
            cell for cell, (_, most) in told.items() if most is not None and most < threshold
        ]
        more = {one for cell in given_away for one in _partners(system, hidden, cell)}
        if not more:
            return hidden - system.unprinted
        hidden |= more


def _partners(system: System, hidden: set[Cell], cell: Cell) -> set[Cell]:
    """The next cell to withhold for one: the smallest of the sum that tells most of it; sizes of groups last."""
    for barred in (system.heads, set[Cell]()):
        reach = {cell}
        while True:
            near = [(total, parts) for total, parts in system.sums if reach & {total, *parts}]
            if found := _ranked(system, hidden, near, cell, barred):
                return {found}
            # Wider by withheld cells alone: what is printed passes nothing on.
            wider = reach | {
                one for total, parts in near for one in (total, *parts) if one in hidden
            }
            if wider == reach:
                break
            reach = wider
    return set()


def _ranked(
    system: System,
    hidden: set[Cell],
    sums: list[tuple[Cell, tuple[Cell, ...]]],
    cell: Cell,
    barred: set[Cell],
) -> Cell | None:
    ranked = []
    for total, parts in sums:
        members = (total, *parts)
        loose = sum(abs(system.values[one]) for one in members if one in hidden and one != cell)
        ranked += [
            (loose, one == total, system.values[one] == 0, system.values[one], sorted(one), one)
            for one in members
            if one not in hidden and one not in barred
        ]
    return min(ranked, key=lambda entry: entry[:5])[5] if ranked else None
