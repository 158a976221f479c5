"""How far a reader can calculate a withheld count, by linear programming over all printed sums."""

from __future__ import annotations

import math
from collections.abc import Iterable

from reports.disclosure.system import Cell, System

SLACK = 1e-6


def bounds(
    system: System, hidden: set[Cell], wanted: Iterable[Cell]
) -> dict[Cell, tuple[int, int | None]]:
    """Least and greatest number that each wanted cell can have; None: nothing limits it.

    Args:
        system: Values of printed cells are known to the reader, those of hidden ones are not.
        hidden: Withheld cells and those that no table prints.
        wanted: Some of them.
    """
    of_cell = _components(system, hidden)
    return {cell: _range(system, hidden, cell, of_cell.get(cell, [])) for cell in wanted}


def _components(
    system: System, hidden: set[Cell]
) -> dict[Cell, list[tuple[Cell, tuple[Cell, ...]]]]:
    """Sums that have to do with a hidden cell, directly or by other hidden cells."""
    groups: dict[Cell, list[tuple[Cell, tuple[Cell, ...]]]] = {}
    for total, parts in sorted(
        system.sums, key=lambda s: (sorted(s[0]), [sorted(p) for p in s[1]])
    ):
        open_cells = [cell for cell in (total, *parts) if cell in hidden]
        if not open_cells:
            continue
        joined: list[tuple[Cell, tuple[Cell, ...]]] = [(total, parts)]
        members = set(open_cells)
        seen: set[int] = set()
        for cell in open_cells:
            found = groups.get(cell)
            if found is not None and id(found) not in seen:
                seen.add(id(found))
                joined.extend(found)
        for one_total, one_parts in joined:
            members |= {cell for cell in (one_total, *one_parts) if cell in hidden}
        for cell in members:
            groups[cell] = joined
    return groups


def _range(
    system: System, hidden: set[Cell], cell: Cell, sums: list[tuple[Cell, tuple[Cell, ...]]]
) -> tuple[int, int | None]:
    from scipy.optimize import linprog

    if not sums:
        return 0, None
    cells = sorted({c for total, parts in sums for c in (total, *parts) if c in hidden}, key=sorted)
    place = {one: number for number, one in enumerate(cells)}
    matrix, right = [], []
    for total, parts in sums:
        row, known = [0.0] * len(cells), 0.0
        for one, sign in ((total, -1.0), *((part, 1.0) for part in parts)):
            if one in place:
                row[place[one]] += sign
            else:
                known -= sign * system.values[one]
        matrix.append(row)
        right.append(known)
    goal = [0.0] * len(cells)
    goal[place[cell]] = 1.0
    least = linprog(goal, A_eq=matrix, b_eq=right, bounds=(0, None), method="highs")
    most = linprog([-g for g in goal], A_eq=matrix, b_eq=right, bounds=(0, None), method="highs")
    low = math.ceil(least.fun - SLACK) if least.status == 0 else system.values[cell]
    if most.status == 0:
        return low, math.floor(-most.fun + SLACK)
    return low, None if most.status == 3 else system.values[cell]
