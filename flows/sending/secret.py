"""Passwords, from where `study.yaml` says that they are; they are never written or shown."""

from __future__ import annotations

import os

from flows.sending.failure import DeliveryError
from schemas.spec.notification import Login


def password(login: Login) -> str | None:
    """The password of a login; None if it has none.

    Raises:
        DeliveryError: It is not where the setting says.
    """
    if login.password_env:
        found = os.environ.get(login.password_env)
        if not found:
            raise DeliveryError(
                f"The environment variable {login.password_env} is not set: there is no password.",
                fix="set it for the program that runs carmony, or correct 'password_env' in study.yaml",
            )
        return found
    return _block(login.password_block) if login.password_block else None


def _block(name: str) -> str:
    # Without a server Prefect would start one of its own for this single question.
    if not os.environ.get("PREFECT_API_URL"):
        raise DeliveryError(
            f"The Prefect block '{name}' cannot be read without a Prefect server.",
            fix="set PREFECT_API_URL, or name an environment variable in 'password_env' instead",
        )
    from flows import quiet

    quiet.be_quiet()
    from prefect.blocks.system import Secret

    try:
        found = Secret.load(name, _sync=True).get()  # type: ignore[call-arg, union-attr]
    except ValueError:
        raise DeliveryError(
            f"The Prefect server has no Secret block '{name}'.",
            fix="make it on the page of the server (Blocks), or correct 'password_block'",
        ) from None
    except Exception as error:
        raise DeliveryError(
            f"The Prefect block '{name}' could not be read ({type(error).__name__}).",
            fix="look whether the Prefect server answers; the next run tries again",
            can_pass=True,
        ) from None
    return str(found)
