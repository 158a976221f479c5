"""Breakdowns of a library: those that are no `Exception` would pass every handler and end in a traceback.

Those that end the process leave no image of its memory, which would hold what it read of patients. Polars tells what its Rust code did not foresee (memory that is refused, a broken file) as a
`PanicException`, which stands beside `KeyboardInterrupt` and not below `Exception`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class LibraryPanicError(RuntimeError):
    """A library broke down. Its own text stays out: it may hold a value."""


def no_core_dumps() -> None:
    """From now on no process of ours, and none that it starts, leaves its memory in a file when it breaks down."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


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
