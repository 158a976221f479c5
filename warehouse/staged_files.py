"""The staged folders as DuckDB sees them: by short links, so that no path of a user is a pattern."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import CarmonyError
from warehouse.loads import StagedDelivery
from warehouse.sql_text import listed


@dataclass(frozen=True, slots=True)
class LinkedDelivery:
    """A staged delivery, its number in this build (1..) and the link to its folder."""

    number: int
    staged: StagedDelivery
    link: Path

    def file(self, name: str) -> Path:
        """A file of the folder, through the link; it may not exist."""
        return self.link / name


@contextmanager
def linked(staged: Sequence[StagedDelivery]) -> Iterator[list[LinkedDelivery]]:
    """Links to all folders, for as long as the block runs.

    DuckDB reads `*`, `?` and `[` in a path as a pattern; a study's folder may hold them.

    Raises:
        CarmonyError: A staged folder is not there.
    """
    for delivery in staged:
        if not (delivery.folder / "summary.json").is_file():
            raise CarmonyError(
                f"Center '{delivery.center_id}', delivery {delivery.delivery_id}: the staged "
                f"folder of load {delivery.load_id} is not complete.",
                fix="restore vault/staged from a backup, or run with the delivery in the inbox again",
            )
    with tempfile.TemporaryDirectory(prefix="carmony-") as temporary:
        out = []
        for number, delivery in enumerate(staged, start=1):
            link = Path(temporary) / f"{number:06d}"
            link.symlink_to(delivery.folder.resolve(), target_is_directory=True)
            out.append(LinkedDelivery(number, delivery, link))
        yield out


def existing(deliveries: Sequence[LinkedDelivery], name: str) -> list[Path]:
    """The files of that name that the deliveries have."""
    return [d.file(name) for d in deliveries if d.file(name).is_file()]


def parquet(paths: Sequence[Path], *, filename: bool = False) -> str:
    """SQL of a table function over Parquet files; columns are matched by name."""
    options = ", filename = true" if filename else ""
    return f"read_parquet({listed(map(str, paths))}, union_by_name = true{options})"
