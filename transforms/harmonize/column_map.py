"""Which header filled which canonical column: the rows of column_map."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.harmonize.plan import BlockPlan, MappingPlan, Words, fill, join_of, value_headers
from transforms.harmonize.sources import OpenSource
from transforms.read import ColumnInfo


@dataclass
class ColumnMap:
    """Numbers each block, binding, source and choice of coalesced columns once."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    known: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def number(self, key: tuple[Any, ...]) -> tuple[int, bool]:
        """The map id of a key, and whether it is new."""
        new = key not in self.known
        if new:
            self.known[key] = len(self.known) + 1
        return self.known[key], new


class BlockMap:
    """The map ids of one block."""

    def __init__(self, plan: MappingPlan, block: BlockPlan, maps: ColumnMap) -> None:
        self.plan = plan
        self.block = block
        self.maps = maps
        self.slots = {join.source: slot for slot, join in enumerate(block.block.join, 2)}

    def number(
        self,
        source: OpenSource,
        binding: int,
        words: Words,
        chosen: Mapping[str, int],
        there: Collection[str],
    ) -> int:
        """The map id of a binding, source and choice (column to position among its headers).

        `there`: the headers whose cells the block sees. A column of which the file lacks every header is
        not delivered, and has no row.
        """
        key = (self.block.name, binding, source.source_id, tuple(sorted(chosen.items())))
        number, new = self.maps.number(key)
        if new:
            rows = self._rows(source, words, chosen, there)
            self.maps.rows += [{"map_id": number, **row} for row in rows]
        return number

    def info(self, source: OpenSource, header: str) -> ColumnInfo | None:
        """What the file says of a header, in the row's own source or a joined one."""
        join = join_of(self.block.block, header)
        if join is None:
            return source.columns.get(header)
        others = self.plan.opened(join[0].source)
        return others[0].columns.get(join[1]) if others else None

    def _rows(
        self,
        source: OpenSource,
        words: Words,
        chosen: Mapping[str, int],
        there: Collection[str],
    ) -> list[dict[str, Any]]:
        def delivered(header: str) -> bool:
            join = join_of(self.block.block, header)
            return header in there and (join is None or bool(self.plan.opened(join[0].source)))

        rows = [self._row(source, "patient_id", [fill(source.spec.patient_id, {})], "column")]
        for plan in self.block.columns:
            rule, name = plan.rule, plan.column.name
            headers = value_headers(rule, words)
            if rule.constant is None and headers and not any(map(delivered, headers)):
                continue
            if rule.coalesce is not None:
                found = [h for h in headers if self.info(source, h) is not None] or headers
                headers = [found[min(chosen.get(name, 0), len(found) - 1)]]
            rows.append(self._row(source, name, headers, rule.how))
            if rule.unit_column is not None and plan.column.kind == "number":
                header = fill(rule.unit_column, words)
                if delivered(header):
                    rows.append(self._row(source, f"{name}_unit", [header], "column"))
        return rows

    def _row(self, source: OpenSource, column: str, headers: list[str], how: str) -> dict[str, Any]:
        slot, source_id, written = 1, source.source_id, []
        for header in headers:
            info = self.info(source, header)
            join = join_of(self.block.block, header)
            if join is not None:
                slot = self.slots[join[0].source]
                others = self.plan.opened(join[0].source)
                source_id = others[0].source_id if others else source.source_id
            written.append(info.name if info is not None else header)
        return {
            "table": self.block.table.name,
            "column": column,
            "slot": slot,
            "source_id": source_id,
            "source_column": " | ".join(written) or None,
            "rule": how,
        }
