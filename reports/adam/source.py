"""A table and the name of its file: what is wrong with it is told with columns and numbers of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from schemas.errors import FileError

FirstDay = Literal[0, 1]
# Number of a row in its file, as a spreadsheet counts: the header of a CSV file is row 1.
ROW = "number of the row"


@dataclass(frozen=True)
class Source:
    """A table and the name of its file, for messages."""

    frame: pl.DataFrame
    file: str

    @property
    def is_typed(self) -> bool:
        """Whether the file itself says which columns are text: all but CSV."""
        return Path(self.file).suffix.lower() != ".csv"

    @property
    def first_row(self) -> int:
        """Number of the first row of data."""
        return 1 if self.is_typed else 2

    def numbered(self) -> Source:
        """The same rows with the column `ROW`."""
        return Source(self.frame.with_row_index(ROW, offset=self.first_row), self.file)

    def need(self, names: Iterable[str]) -> None:
        """Raises FileError for a column that is not there."""
        for name in names:
            if name not in self.frame.columns:
                raise self.fault(
                    "MISSING_COLUMN", f"there is no column '{name}'", f"add {name}, as ADaM has it"
                )

    def refuse(self, wrong: pl.Expr, column: str, problem: str, fix: str) -> None:
        """Raises FileError if a row is wrong; says how many, never which."""
        number = self.frame.select(wrong.fill_null(False).sum()).item()
        if number:
            rows = "1 row" if number == 1 else f"{number} rows"
            raise self.fault("WRONG_TYPE", f"column '{column}': {problem} ({rows})", fix)

    def refuse_times(
        self, wrong: pl.Expr, column: str, problem: str, fix: str, among: pl.Expr | None = None
    ) -> None:
        """Raises FileError if a row is wrong; says of which endpoints, how many, and the first row of each.

        Args:
            wrong: Which rows of a numbered adtte are.
            column: The column that is named.
            problem: What is wrong with them.
            fix: What to do.
            among: The rows that could be wrong; default: all.
        """
        if places := self.places(wrong, among):
            raise self.fault("WRONG_TYPE", f"column '{column}': {problem} ({places})", fix)

    def places(self, wrong: pl.Expr, among: pl.Expr | None = None) -> str:
        """`'OS': 2 of 120 rows, the first is row 7; ...` of a numbered adtte; empty if no row is wrong."""
        marked = self.frame.select(
            "PARAMCD", ROW, wrong=wrong.fill_null(False),
            among=(pl.lit(True) if among is None else among).fill_null(False),
        )  # fmt: skip
        counted = (
            marked.group_by("PARAMCD", maintain_order=True)
            .agg(
                n=pl.col("wrong").sum(),
                of=pl.col("among").sum(),
                first=pl.col(ROW).filter(pl.col("wrong")).first(),
            )
            .filter(pl.col("n") > 0)
        )
        return "; ".join(
            f"'{name}': {n} of {of} rows, the first is row {first}"
            for name, n, of, first in counted.iter_rows()
        )

    def fault(self, code: str, problem: str, fix: str) -> FileError:
        """What is wrong with the file."""
        return FileError(code, self.file, problem, fix=fix)
