"""A packet that could not be brought to its center."""

from __future__ import annotations

import os

from schemas.errors import CarmonyError


class DeliveryError(CarmonyError):
    """One message without addresses, values and words of the other side; the next run tries again.

    `can_pass`: the cause may be gone after a minute (network, busy server).
    """

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "", can_pass: bool = False) -> None:
        super().__init__(message, fix=fix)
        self.can_pass = can_pass


def reason(error: BaseException) -> str:
    """The system's words for an error's number; texts of libraries may name hosts and users."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else type(error).__name__
