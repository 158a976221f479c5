"""A packet is uploaded to an SFTP server whose key is known.

AsyncSSH and no other: it needs nothing but `cryptography`, which Prefect brings, and checks keys of hosts
by default; fsspec's sftp is Paramiko, which asks the caller to. The user's own ssh settings, agent and
keys are left alone: only what `study.yaml` names counts.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from flows.failures import may_pass
from flows.sending.failure import DeliveryError, reason
from flows.sending.parcel import Parcel
from flows.sending.secret import password
from schemas.spec.notification import Sftp

ANSWERS_WITHIN = 30.0  # seconds for the server to answer and to let us in
DONE_WITHIN = 300.0  # seconds for a packet; it has some hundred kilobytes


def put(parcel: Parcel, address: str, root: Path, server: Sftp) -> None:
    """Uploads the packet; each file gets its name when it is there as a whole.

    Args:
        parcel: the packet.
        address: the center's folder on the server; it must be there.
        root: the study folder.
        server: host, key of the host, and login.

    Raises:
        DeliveryError: Unknown key of the host, refused login, lost connection, or the folder takes nothing.
    """
    options = _login(server, root)
    files = [(name, path.read_bytes()) for name, path in parcel.files()]
    import asyncssh

    try:
        asyncio.run(asyncio.wait_for(_upload(server, options, address, files), DONE_WITHIN))
    except asyncssh.HostKeyNotVerifiable:
        raise DeliveryError(
            "The key of the SFTP server is not the one that study.yaml names: nothing was sent.",
            fix="ask who runs the server for its key; do not accept a new one without asking",
        ) from None
    except asyncssh.PermissionDenied:
        raise DeliveryError(
            "The SFTP server refused the login.",
            fix="check user and key or password of 'notification.sftp', and whether the server knows them",
        ) from None
    except asyncssh.SFTPError as error:
        raise _refused(parcel, error) from None
    except (asyncssh.Error, TimeoutError, OSError) as error:
        raise _unreachable(error) from None


async def _upload(
    server: Sftp, options: dict[str, Any], address: str, files: list[tuple[str, bytes]]
) -> None:
    import asyncssh

    folder = PurePosixPath(address)
    async with (
        asyncssh.connect(server.host, server.port, **options) as connection,
        connection.start_sftp_client() as sftp,
    ):
        for name, content in files:
            await _place(sftp, folder, name, content)


async def _place(sftp: Any, folder: PurePosixPath, name: str, content: bytes) -> None:
    import asyncssh

    target, temporary = str(folder / name), str(folder / f".{name}.part")
    if await _holds(sftp, target, content):
        return  # of a try whose end was not noted
    try:
        async with sftp.open(temporary, "wb") as file:
            await file.write(content)
        if await sftp.getsize(temporary) != len(content):
            raise asyncssh.SFTPFailure("the file is not whole")
        try:
            await sftp.posix_rename(temporary, target)
        except asyncssh.SFTPOpUnsupported:
            await sftp.rename(temporary, target)
    except BaseException:
        with suppress(asyncssh.Error, OSError):
            await asyncio.wait_for(sftp.remove(temporary), 5)
        raise


async def _holds(sftp: Any, target: str, content: bytes) -> bool:
    import asyncssh

    try:
        if await sftp.getsize(target) != len(content):
            return False
        async with sftp.open(target, "rb") as file:
            return bool(await file.read() == content)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPPermissionDenied):
        return False  # a drop box may take files and show none


def _login(server: Sftp, root: Path) -> dict[str, Any]:
    """Options of the connection: all that could come from the user's own settings is switched off."""
    options: dict[str, Any] = {
        "config": None,
        "agent_path": None,
        "gss_host": None,
        "username": server.user,
        "client_keys": None,
        "known_hosts": _host_keys(server, root),
        "login_timeout": ANSWERS_WITHIN,
        "connect_timeout": ANSWERS_WITHIN,
        "keepalive_interval": 15,
    }
    if server.key_file:
        options["client_keys"] = [_private_key(root / server.key_file)]
    else:
        options["password"] = password(server)
    return options


def _host_keys(server: Sftp, root: Path) -> Any:
    import asyncssh

    try:
        if server.host_key:
            return ([asyncssh.import_public_key(server.host_key)], [], [])
        # Read here: a file that is missing must not pass for "no check".
        text = (root / str(server.known_hosts)).read_text(encoding="utf-8")
        return asyncssh.import_known_hosts(text)
    except (OSError, ValueError) as error:
        what = reason(error) if isinstance(error, OSError) else "it is not in the right form"
        raise DeliveryError(
            f"The key of the SFTP server in study.yaml cannot be read: {what}.",
            fix="write the line of ssh-keyscan, after asking who runs the server whether it is right",
        ) from None


def _private_key(path: Path) -> Any:
    import asyncssh

    try:
        if path.stat().st_mode & 0o077:
            raise DeliveryError(
                "The private key of 'notification.sftp' can be read by others.",
                fix="chmod 600 the file of 'key_file'",
            )
        return asyncssh.read_private_key(path)
    except OSError as error:
        what = reason(error)
    except asyncssh.KeyEncryptionError:
        what = "it has a passphrase"
    except asyncssh.KeyImportError:
        what = "it is no private key, or has a passphrase"
    raise DeliveryError(
        f"The private key of 'notification.sftp' cannot be used: {what}.",
        fix="give a key of its own for this purpose, without a passphrase",
    )


def _refused(parcel: Parcel, error: Any) -> DeliveryError:
    import asyncssh

    lost = isinstance(error, (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost))
    if lost:
        return _unreachable(error)
    reasons = {
        asyncssh.SFTPNoSuchFile: "it is not there",
        asyncssh.SFTPNoSuchPath: "it is not there",
        asyncssh.SFTPPermissionDenied: "permission denied",
        asyncssh.SFTPWriteProtect: "it is write-protected",
        asyncssh.SFTPNoSpaceOnFilesystem: "no space left",
        asyncssh.SFTPQuotaExceeded: "the quota is used up",
    }
    what = reasons.get(type(error), f"the server failed (code {error.code}); its disk may be full")
    return DeliveryError(
        f"The folder of {parcel.center_id} on the SFTP server takes nothing: {what}.",
        fix="correct the address in study.yaml, or ask who runs the server",
    )


def _unreachable(error: BaseException) -> DeliveryError:
    import asyncssh

    passing = may_pass(error) or isinstance(error, (asyncssh.Error, TimeoutError))
    return DeliveryError(
        f"The SFTP server does not answer, or the connection was lost ({reason(error)}).",
        fix="check host and port of 'notification.sftp' and the network; the next run tries again",
        can_pass=passing,
    )
