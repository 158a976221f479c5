"""Breakdowns of a library that are no `Exception`: they would pass every handler and end in a traceback.

Polars tells what its Rust code did not foresee (memory that is refused, a broken file) as a
`PanicException`, which stands beside `KeyboardInterrupt` and not below `Exception`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class LibraryPanicError(RuntimeError):
    """A library broke down. Its own text stays out: it may hold a value."""


@contextmanager
def no_panics() -> Iterator[None]:
    """What breaks down inside is raised as LibraryPanicError, with the place where it did."""
    try:
        yield
    except BaseException as error:
        # Each library made with PyO3 has a class of its own, which Python cannot import.
        if isinstance(error, Exception) or type(error).__name__ != "PanicException":
            raise
        raise LibraryPanicError(type(error).__name__) from error
