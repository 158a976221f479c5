"""A packet, a mail server and an SFTP server on loopback, for the tests of sending."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from flows.sending.parcel import Parcel

WORKBOOK, LIST = b"PK workbook of questions " * 4000, b"query id;answer\r\n"


def make_packet(root: Path, center: str = "AA01", name: str = "2024-07-31_000003") -> Parcel:
    folder = root / "vault" / "packets" / center / "queries" / name
    folder.mkdir(parents=True)
    (folder / "queries.xlsx").write_bytes(WORKBOOK)
    (folder / "queries.csv").write_bytes(LIST)
    return Parcel("SMALL", center, folder)


class Store(asyncssh.SFTPServer):
    """An SFTP server that can fail in the way a test asks for."""

    trouble = ""
    renamed: list[str]

    def __init__(self, chan: Any, *, home: Path, trouble: str) -> None:
        super().__init__(chan, chroot=str(home).encode())
        self.trouble = trouble
        self._channel = chan

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        if self.trouble == "full":
            raise asyncssh.SFTPFailure("Failure")
        if self.trouble == "no space":
            raise OSError(28, "No space left on device")
        if self.trouble == "lost":
            self._channel.get_connection().abort()
        return super().write(file_obj, offset, data)  # type: ignore[return-value]

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        if self.trouble == "old server":
            raise asyncssh.SFTPOpUnsupported("no such request")
        super().posix_rename(oldpath, newpath)


class Door(asyncssh.SSHServer):
    """Lets `carmony` in with the password `secret`."""

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("carmony", "secret")


@contextmanager
def sftp_server(home: Path, key: Path, trouble: str = "") -> Iterator[tuple[int, str]]:
    """Port and public key of a running server whose root is `home`; `key` may log in."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    public = asyncssh.read_private_key(key).export_public_key().decode()

    async def start() -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Door,
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(public),
            sftp_factory=lambda chan: Store(chan, home=home, trouble=trouble),
        )

    with _loop() as loop:
        server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
        line = host_key.export_public_key().decode().strip()
        yield server.get_port(), line

        async def stop() -> None:
            server.close()
            await server.wait_closed()

        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


def new_key(path: Path) -> Path:
    """A private key for the login."""
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)
    path.chmod(0o600)
    return path


class Mailbox:
    """Keeps what the mail server takes; refuses what a test asks it to."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble
        self.mails: list[tuple[list[str], bytes]] = []

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.trouble == "refuses" or address.startswith("gone"):
            return "550 no such user " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.trouble == "lost":
            server.transport.abort()
            return "421 going away"
        if self.trouble.startswith("busy"):
            self.trouble = "" if self.trouble == "busy once" else self.trouble
            return "452 insufficient system storage"
        self.mails.append((list(envelope.rcpt_tos), envelope.content))
        return "250 OK"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Certificate of 127.0.0.1 signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, secret


@contextmanager
def mail_server(
    box: Mailbox, tls: tuple[Path, Path] | None = None, password: str = "secret"
) -> Iterator[int]:
    """Port of a running mail server; with a certificate it asks for STARTTLS and a login."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        fits = isinstance(data, LoginPassword) and (data.login, data.password) == (
            b"carmony",
            password.encode(),
        )
        return AuthResult(success=fits, handled=False)

    options: dict[str, Any] = {}
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        options = {
            "tls_context": context,
            "require_starttls": True,
            "authenticator": login,
            "auth_required": True,
        }
    controller = Controller(box, hostname="127.0.0.1", port=0, **options)
    controller.port = _free_port()
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# A study with questions ---------------------------------------------------------------------------

BROKEN = "31.31.2023-"  # no date: the rule on dates asks the center


def make_asked_study(root: Path, more: str = "") -> Path:
    """Two centers with a broken date each, a third without; `more` is added to study.yaml."""
    import small_study

    small_study.make_study(root, ("AA01", "BB02", "CC03"))
    settings = root / "study.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")
    for center in ("AA01", "BB02"):
        break_dates(root, center, "2024-06-14", 2 if center == "AA01" else 1)
    return root


def break_dates(root: Path, center: str, day: str, n: int) -> None:
    """Makes the first `n` death dates of a delivery unreadable."""
    file = root / "inbox" / center / day / "follow_up.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("DEAD,", f"DEAD,{BROKEN}", n), encoding="utf-8")


def deliver_again(root: Path, center: str, day: str, broken: int) -> None:
    """The center's next delivery, with so many broken dates left."""
    import shutil

    target = root / "inbox" / center / day
    shutil.copytree(root / "inbox" / center / "2024-06-14", target)
    file = target / "follow_up.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(BROKEN, ""), encoding="utf-8")
    break_dates(root, center, day, broken)


def let_all_pass(monkeypatch: Any) -> None:
    """Runs without judge and analysis tables: both have their own tests."""
    from tests.flows import lenient_runs

    lenient_runs.let_all_pass(monkeypatch)


def run(root: Path) -> Any:
    """A run without a report; its outcome."""
    from flows.run import RunRequest, run_study
    from flows.show import Silent

    return run_study(RunRequest(str(root), report=False), Silent())


def newest_workbook(root: Path, center: str) -> Path:
    """The workbook of a center's last packet."""
    found = sorted((root / "vault" / "packets" / center / "queries").iterdir())
    return found[-1] / "queries.xlsx"


def answer(workbook: Path, target: Path, *answers: str) -> Path:
    """The workbook with these answers in its first lines."""
    import openpyxl

    book = openpyxl.load_workbook(workbook)
    for sheet in book:
        codes = [str(cell.value) for cell in sheet[1]]
        if "carmony:answer" in codes:
            column = codes.index("carmony:answer") + 1
            for number, text in enumerate(answers):
                sheet.cell(3 + number, column).value = text
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return target
