"""How packets of questions reach their centers: section `notification` of `study.yaml`, off by default."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from schemas.spec.base import Declared, listed

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAIL = re.compile(r"[^@\s,;:<>\"()\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_HOST = r"^[A-Za-z0-9_](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$"

Host = Annotated[str, Field(pattern=_HOST, max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]
Addresses = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda v: [v] if isinstance(v, str) else v),
    Field(min_length=1),
]


class Login(Declared):
    """Who logs in. A password never stands in the file: the file names where it is."""

    user: str | None = Field(default=None, min_length=1, description="Name at the server")
    password_env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Name of the environment variable that holds the password",
    )
    password_block: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="Name of the Prefect Secret block that holds the password",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Login:
        if self.password_env and self.password_block:
            raise ValueError("give 'password_env' or 'password_block', not both")
        return self

    @property
    def has_password(self) -> bool:
        """Whether a place of a password is named."""
        return bool(self.password_env or self.password_block)


class Sftp(Login):
    """A server to which packets are uploaded."""

    host: Host
    port: Port = 22
    key_file: str | None = Field(
        default=None,
        description="Private key without a passphrase, that no one else may read; absolute, or "
        "beside study.yaml",
    )
    known_hosts: str | None = Field(
        default=None,
        description="File of the server's keys, as ssh-keyscan writes it; absolute, or beside study.yaml",
    )
    host_key: str | None = Field(
        default=None,
        pattern=r"^(ssh-|ecdsa-|sk-)[A-Za-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?$",
        description="The server's public key itself: ssh-ed25519 AAAA...",
    )

    @model_validator(mode="after")
    def _whole(self) -> Sftp:
        if (self.known_hosts is None) == (self.host_key is None):
            raise ValueError(
                "give 'known_hosts' or 'host_key': nothing is sent to a server whose key is not known"
            )
        if self.user is None:
            raise ValueError("give 'user'")
        if (self.key_file is not None) == self.has_password:
            raise ValueError("give 'key_file', or 'password_env' or 'password_block'")
        return self


class Email(Login):
    """A mail server, and what is sent through it."""

    host: Host
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the connection is encrypted; 'none' only for a note, without a password",
    )
    sender: str = Field(alias="from", description="Address from which the mail comes")
    attach: bool = Field(
        default=False,
        description="The workbook is attached: patient values leave by mail. Otherwise a note without "
        "any patient data says that a packet lies ready",
    )
    place: str | None = Field(
        default=None, max_length=300, description="Where the center finds its packet, for the note"
    )

    @model_validator(mode="after")
    def _safe(self) -> Email:
        if not _MAIL.fullmatch(self.sender):
            raise ValueError("'from' is no mail address")
        if self.place and _CONTROL.search(self.place):
            raise ValueError("'place' must be one line of text")
        if (self.user is None) == self.has_password:
            raise ValueError("'user' goes with 'password_env' or 'password_block'")
        if self.security == "none" and self.has_password:
            raise ValueError("a password is not sent without encryption: use starttls or tls")
        if self.security == "none" and self.attach:
            raise ValueError("patient values are not sent without encryption: use starttls or tls")
        return self


class Notification(Declared):
    """Delivery of packets to centers."""

    method: Literal["off", "folder", "sftp", "email"] = Field(
        default="off", description="How packets go to their centers"
    )
    centers: dict[str, Addresses] = Field(
        default={},
        description="Center → its address: a folder, a folder on the SFTP server, or mail addresses. "
        "A center without one gets its packet from the data manager",
    )
    sftp: Sftp | None = None
    email: Email | None = None

    @model_validator(mode="before")
    @classmethod
    def _off(cls, data: Any) -> Any:
        """Other programs write `off` as false."""
        if isinstance(data, dict) and data.get("method") is False:
            return {**data, "method": "off"}
        return data

    @model_validator(mode="after")
    def _fits(self) -> Notification:
        if self.method in ("sftp", "email") and getattr(self, self.method) is None:
            raise ValueError(f"method '{self.method}' needs the section '{self.method}'")
        # Messages name centers, not addresses: an address may be a person's name.
        broken = [c for c, given in self.centers.items() if any(_broken(a) for a in given)]
        if broken:
            raise ValueError(f"the address of {listed(broken)} is empty or not one line of text")
        if self.method == "email":
            wrong = [c for c, g in self.centers.items() if not all(map(_MAIL.fullmatch, g))]
            if wrong:
                raise ValueError(f"the address of {listed(wrong)} is no mail address")
        several = [c for c, given in self.centers.items() if len(given) > 1]
        if several and self.method in ("folder", "sftp"):
            raise ValueError(f"give one folder for {listed(several)}")
        self._refuse_shared()
        return self

    def _refuse_shared(self) -> None:
        """No center may read the packet of another one, whose patients it would learn."""
        if self.method == "off" or (
            self.method == "email" and self.email and not self.email.attach
        ):
            return
        owner: dict[str, str] = {}
        for center, given in self.centers.items():
            for address in given:
                other = owner.setdefault(normpath(address).casefold(), center)
                if other != center:
                    raise ValueError(
                        f"'{other}' and '{center}' have the same address: one of them would read "
                        "patients of the other"
                    )
        if self.method != "email":
            for inner, outer in permutations(owner, 2):
                if PurePosixPath(inner).is_relative_to(outer):
                    raise ValueError(
                        f"the folder of '{owner[inner]}' lies in that of '{owner[outer]}', who would read "
                        "patients of the other"
                    )


def _broken(address: str) -> bool:
    return not address.strip() or bool(_CONTROL.search(address))
