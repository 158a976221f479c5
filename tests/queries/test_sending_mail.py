from __future__ import annotations

import email
import email.policy
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from flows.sending import by_mail
from flows.sending.failure import DeliveryError
from flows.sending.parcel import Parcel
from schemas.spec.notification import Email

sys.path.insert(0, str(Path(__file__).parent))

import sending_help  # noqa: E402
from sending_help import Mailbox, mail_server  # noqa: E402

TO = ("data@aa01.example",)


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    return sending_help.make_packet(tmp_path / "study")


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A certificate that this process trusts, and the password in the environment."""
    made = sending_help.certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made[0]))
    monkeypatch.setenv("MAIL_PASSWORD", "secret")
    return made


def server(port: int, **other: Any) -> Email:
    return Email.model_validate(
        {
            "host": "localhost",
            "port": port,
            "security": "none",
            "from": "study@example.org",
            **other,
        }
    )


def safe(port: int, **other: Any) -> Email:
    login = {"security": "starttls", "user": "carmony", "password_env": "MAIL_PASSWORD"}
    return server(port, **{**login, **other})


def put(parcel: Parcel, setting: Email, to: tuple[str, ...] = TO, language: str = "en") -> str:
    return by_mail.put(parcel, to, setting, title="A small study", language=language)


def read(box: Mailbox) -> EmailMessage:
    (mail,) = box.mails
    found = email.message_from_bytes(mail[1], policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_note_tells_that_a_packet_lies_ready_and_holds_nothing_of_it(parcel: Parcel) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        assert put(parcel, server(port, place="the share S:/carmony")) == ""

    mail = read(box)
    assert mail["To"] == TO[0]
    assert mail["Subject"] == "SMALL: questions about your data, AA01, 2024-07-31"
    assert not list(mail.iter_attachments())
    text = mail.get_content()
    assert "S:/carmony" in text
    assert "workbook of questions" not in text


@pytest.mark.parametrize(
    ("language", "greeting"),
    [("de", "Sehr geehrte"), ("es", "Estimados"), ("en", "Dear"), ("fr", "Dear")],
)
def test_the_note_is_in_the_language_of_the_center(
    parcel: Parcel, language: str, greeting: str
) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        put(parcel, server(port), language=language)

    assert read(box).get_content().startswith(greeting)


def test_the_workbook_is_attached_only_where_the_study_says_so(
    parcel: Parcel, tls: tuple[Path, Path]
) -> None:
    box = Mailbox()
    with mail_server(box, tls) as port:
        put(parcel, safe(port, attach=True))

    (attached,) = read(box).iter_attachments()
    assert attached.get_filename() == "SMALL_AA01_2024-07-31_000003_queries.xlsx"
    assert attached.get_content() == sending_help.WORKBOOK


def test_the_same_packet_has_the_same_message_id(parcel: Parcel) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        put(parcel, server(port))
        put(parcel, server(port))

    first, second = (
        email.message_from_bytes(content, policy=email.policy.default) for _, content in box.mails
    )
    assert first["Message-ID"] == second["Message-ID"]


def refused(parcel: Parcel, setting: Email, to: tuple[str, ...] = TO) -> DeliveryError:
    with pytest.raises(DeliveryError) as told:
        put(parcel, setting, to)
    text = str(told.value)
    assert "Fix:" in text
    assert not any(word in text for word in ("localhost", "127.0.0.1", "secret", "@", "carmony\n"))
    return told.value


def test_a_refused_login_is_told(
    parcel: Parcel, tls: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Mailbox()
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    with mail_server(box, tls) as port:
        error = refused(parcel, safe(port))

    assert "refused the login (535)" in str(error)
    assert not error.can_pass
    assert not box.mails


def test_a_certificate_that_nobody_vouches_for_gets_neither_password_nor_mail(
    parcel: Parcel, tls: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Mailbox()
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(box, tls) as port:
        error = refused(parcel, safe(port))

    assert "cannot be encrypted (CERTIFICATE_VERIFY_FAILED)" in str(error)
    assert not box.mails


def test_a_server_without_encryption_gets_nothing(
    parcel: Parcel, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Mailbox()
    monkeypatch.setenv("MAIL_PASSWORD", "secret")
    with mail_server(box) as port:
        error = refused(parcel, safe(port))

    assert "no encryption" in str(error)
    assert not box.mails


@pytest.mark.parametrize(
    ("trouble", "told", "can_pass"),
    [
        ("refuses", "refused the address of AA01 (550)", False),
        ("busy", "refused the mail for AA01 (452)", True),
        ("lost", "the connection was lost", True),
    ],
)
def test_what_the_server_refuses_is_told_with_its_code(
    parcel: Parcel, trouble: str, told: str, can_pass: bool
) -> None:
    with mail_server(Mailbox(trouble)) as port:
        error = refused(parcel, server(port))

    assert told in str(error)
    assert error.can_pass is can_pass


def test_one_wrong_address_of_two_is_told_and_the_other_gets_its_mail(parcel: Parcel) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        told = put(parcel, server(port), (*TO, "gone@aa01.example"))

    assert told == "1 of 2 addresses of AA01 were refused"
    assert box.mails[0][0] == list(TO)


def test_nobody_listening_may_pass(parcel: Parcel) -> None:
    with mail_server(Mailbox()) as port:
        pass
    error = refused(parcel, server(port))

    assert "does not answer" in str(error)
    assert error.can_pass


def test_a_password_that_is_nowhere_is_told(
    parcel: Parcel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    with pytest.raises(DeliveryError, match="MAIL_PASSWORD is not set"):
        put(parcel, safe(1))
    with pytest.raises(DeliveryError, match="without a Prefect server"):
        put(parcel, safe(1, password_env=None, password_block="mail"))
