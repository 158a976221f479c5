"""The yardstick of the ingest benchmark: DuckDB loads the same files as text into one table.

python benchmarks/ingest_duckdb.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def main(folder: Path) -> None:
    """`read_csv(all_varchar)` of the assessment files into a new database file."""
    target = folder / "raw.duckdb"
    target.unlink(missing_ok=True)
    files = str(folder / "inbox" / "*" / "befunde.csv").replace("'", "''")
    with duckdb.connect(str(target)) as con:
        con.execute(
            f"create table raw as from read_csv('{files}', all_varchar=true, delim=';', "
            "quote='\"', header=true, filename=true)"
        )
    print(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
