"""A packet is attached to a mail, or a mail without any patient data says that it lies ready."""

from __future__ import annotations

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from functools import cache
from pathlib import Path

import yaml

from flows.failures import may_pass
from flows.sending.failure import DeliveryError, reason
from flows.sending.parcel import Parcel
from flows.sending.secret import password
from schemas.spec.notification import Email

ANSWERS_WITHIN = 30.0  # seconds for each answer of the server
_WORDS = Path(__file__).with_name("words.yaml")
_SHEET = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def put(
    parcel: Parcel, addresses: tuple[str, ...], server: Email, *, title: str, language: str
) -> str:
    """Sends one mail.

    Args:
        parcel: the packet.
        addresses: of the center.
        server: the mail server, and whether the workbook is attached.
        title: of the study.
        language: of the center; English where there are no words in it.

    Returns:
        What the data manager should know although the mail went out; mostly nothing.

    Raises:
        DeliveryError: The server cannot be reached, or refused login, sender or all addresses.
    """
    message = compose(parcel, addresses, server, title=title, language=language)
    secret = password(server)
    try:
        with _connected(server) as connection:
            if server.user and secret is not None:
                connection.login(server.user, secret)
            refused = connection.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(
            f"The mail server refused the login ({error.smtp_code}).",
            fix="check user and password of 'notification.email'",
            can_pass=_passes(error.smtp_code),
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise DeliveryError(
            f"The mail server refused the address of {parcel.center_id} ({_listed(codes)}).",
            fix="correct it in 'notification.centers'",
            can_pass=all(map(_passes, codes)),
        ) from None
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(
            f"The mail server refused the mail for {parcel.center_id} ({error.smtp_code}).",
            fix="ask who runs the mail server: sender, size of the workbook or its quota may be the cause",
            can_pass=_passes(error.smtp_code),
        ) from None
    except ssl.SSLError as error:
        raise DeliveryError(
            f"The connection to the mail server cannot be encrypted ({error.reason or 'TLS'}): nothing was sent.",
            fix="check 'security' and 'port'; a certificate of your own authority is trusted by SSL_CERT_FILE",
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise DeliveryError(
            "The mail server offers no encryption, or no login: nothing was sent.",
            fix="check 'security' and 'port' of 'notification.email'",
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(
            f"The mail server does not answer, or the connection was lost ({reason(error)}).",
            fix="check host and port of 'notification.email' and the network; the next run tries again",
            can_pass=may_pass(error) or isinstance(error, smtplib.SMTPServerDisconnected),
        ) from None
    if refused:
        return f"{len(refused)} of {len(addresses)} addresses of {parcel.center_id} were refused"
    return ""


def compose(
    parcel: Parcel, addresses: tuple[str, ...], server: Email, *, title: str, language: str
) -> EmailMessage:
    """The mail. The same packet gives the same Message-ID: a second copy can be told as one."""
    words = _words().get(language) or _words()["en"]
    values = {
        "study": parcel.study_id,
        "title": " ".join(title.split()),
        "center": parcel.center_id,
        "day": parcel.day,
        "place": server.place or "",
    }
    body = ["greeting", "attached" if server.attach else "ready", "next", "privacy"]
    if server.place and not server.attach:
        body.insert(2, "place")
    message = EmailMessage()
    message["Subject"] = words["subject"].format(**values)
    message["From"] = _address(server.sender)
    message["To"] = [_address(address) for address in addresses]
    message["Date"] = format_datetime(localtime())
    domain = server.sender.rpartition("@")[2]
    message["Message-ID"] = f"<{parcel.study_id}.{parcel.center_id}.{parcel.name}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(words[key].format(**values) for key in body) + "\n")
    if server.attach:
        for name, path in parcel.files():
            if path.suffix == ".xlsx":
                kind, sub = _SHEET
                message.add_attachment(path.read_bytes(), maintype=kind, subtype=sub, filename=name)
    return message


def _connected(server: Email) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=ANSWERS_WITHIN, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=ANSWERS_WITHIN)
    if server.security == "starttls":
        try:
            connection.starttls(context=context)
        except BaseException:
            connection.close()
            raise
    return connection


def _address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(username=local, domain=domain)


def _passes(code: int) -> bool:
    return 400 <= code < 500


def _listed(codes: list[int]) -> str:
    return ", ".join(map(str, codes))


@cache
def _words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
    return found
