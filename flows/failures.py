"""Errors between tasks: which may pass, and how none of them carries a value.

Prefect loads a flow's file under another module name, so classes must not stand in it.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from flows.bug_log import describe
from flows.faults import study_fault, was_interrupted
from flows.outcome import FAILED, DeliveryOutcome
from schemas.errors import CarmonyError

P = ParamSpec("P")
R = TypeVar("R")

_PASSING = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.EINTR,
        errno.ESTALE,
        errno.ETXTBSY,
        errno.ETIMEDOUT,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENETRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
    }
)


class TransientError(OSError):
    """The cause may be gone at the next try: a file still being sent, a busy or absent network."""

    def __init__(self) -> None:
        super().__init__(errno.EAGAIN, "the cause may pass; trying again")


class TaskError(RuntimeError):
    """A bug inside a task; the message names types and places, never a value."""


def may_pass(error: object) -> bool:
    """True for errors of the system that are known to pass."""
    if isinstance(error, (ConnectionError, TimeoutError)):
        return True
    return isinstance(error, OSError) and error.errno in _PASSING


def will_pass(task: Any, run: Any, state: Any) -> bool:
    """Prefect's retry condition."""
    try:
        state.result()
    except Exception as error:
        return may_pass(error)
    return False


def safe(function: Callable[P, R]) -> Callable[P, R]:
    """Lets only errors through whose text holds no value; `function` takes the study first."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except CarmonyError:
            raise
        except Exception as error:
            if was_interrupted(error):
                raise KeyboardInterrupt from None
            if may_pass(error):
                raise TransientError from None
            root = args[0] if args else kwargs.get("root")
            if isinstance(root, str) and (fault := study_fault(error, Path(root))):
                raise fault from None
            trace = describe(error)
        # Outside of the except block: the new error has no context that quotes the old one.
        raise TaskError(trace)

    return wrapped


def crash_outcome(center_id: str) -> DeliveryOutcome:
    """What is said of a center whose task ended without an answer."""
    return DeliveryOutcome(
        center_id,
        FAILED,
        code="CRASH",
        message="reading this center ended in a bug [CRASH]\n"
        "  Fix: please send the log of its task run; the center's earlier state stays",
    )
