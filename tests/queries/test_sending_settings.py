from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import StudyError
from schemas.spec import load_study
from schemas.spec.notification import Notification

HEAD = "id: SMALL\ntitle: A study\ndata_cut: 2024-06-30\n"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKzRmTQj34dIU0S8X2uLn2QMi3KASkOcM28EnkXkg1"


def setting(folder: Path, text: str) -> Notification:
    (folder / "study.yaml").write_text(HEAD + text, encoding="utf-8")
    return load_study(folder).notification


def test_nothing_is_sent_unless_the_study_says_so(tmp_path: Path) -> None:
    assert setting(tmp_path, "").method == "off"
    assert setting(tmp_path, "notification: {method: off}\n").method == "off"
    assert Notification.model_validate({"method": False}).method == "off"


def test_a_mail_is_a_note_over_starttls_unless_the_study_says_otherwise(tmp_path: Path) -> None:
    text = "notification: {method: email, email: {host: mail.example, from: a@b.example}}\n"
    found = setting(tmp_path, text).email

    assert found is not None
    assert (found.attach, found.security, found.port, found.place) == (False, "starttls", 587, None)


def sftp(**keys: str) -> str:
    given = {"host": "h.example", "user": "u", "key_file": "k", "known_hosts": "kh"} | keys
    inner = ", ".join(f"{key}: {value}" for key, value in given.items() if value)
    return f"notification: {{method: sftp, sftp: {{{inner}}}}}\n"


def mail(inner: str, centers: str = "") -> str:
    told = f"centers: {{{centers}}}, " if centers else ""
    base = "host: mail.example, from: a@b.example"
    return f"notification: {{method: email, {told}email: {{{base}{inner}}}}}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("notification: {method: pigeon}\n", "'pigeon' is not allowed"),
        ("notification: {method: sftp}\n", "needs the section 'sftp'"),
        ("notification: {method: email}\n", "needs the section 'email'"),
        (sftp(known_hosts=""), "whose key is not known"),
        (sftp(host_key=KEY), "give 'known_hosts' or 'host_key'"),
        (sftp(known_hosts="", host_key="AAAA"), "should match pattern"),
        (sftp(user=""), "give 'user'"),
        (sftp(key_file=""), "give 'key_file', or 'password_env'"),
        (sftp(password_env="PW"), "give 'key_file', or 'password_env'"),
        (sftp(password="geheim"), "unknown key 'password'. Did you mean 'password_env'?"),
        (sftp(key_file="", password_env="PW", password_block="pw"), "not both"),
        (sftp(port="0"), "greater than or equal to 1"),
        (mail(", password: geheim"), "unknown key 'password'"),
        (mail(", user: u"), "'user' goes with"),
        (mail(", password_env: PW"), "'user' goes with"),
        (mail(", security: none, user: u, password_env: PW"), "password is not sent without"),
        (mail(", security: none, attach: yes"), "patient values are not sent without encryption"),
        (mail("", 'AA01: "a b@c.example"'), "address of 'AA01' is no mail address"),
        (mail("", 'AA01: "a@c.example\\nBcc: x@y.example"'), "not one line of text"),
        (mail(", attach: yes", "A1: a@c.example, B2: A@c.example"), "patients of the other"),
        ("notification: {method: folder, centers: {A1: /x/y, B2: /x/./y/}}\n", "same address"),
        (
            "notification: {method: folder, centers: {A1: /x/y, B2: /x/y/b2}}\n",
            "of 'B2' lies in that of 'A1'",
        ),
        ("notification: {method: folder, centers: {A1: [/x, /y]}}\n", "give one folder for 'A1'"),
        ("notification: {method: folder, centers: {A1: ''}}\n", "address of 'A1' is empty"),
    ],
)
def test_what_could_send_to_the_wrong_place_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(StudyError) as error:
        setting(tmp_path, text)

    assert told in str(error.value)
    assert "study.yaml, line 4, notification" in str(error.value)
    assert "geheim" not in str(error.value)
    assert "c.example" not in str(error.value)


def test_a_trial_office_may_get_the_notes_of_several_centers(tmp_path: Path) -> None:
    found = setting(tmp_path, mail("", "A1: a@c.example, B2: [a@c.example, b@c.example]"))

    assert found.centers == {"A1": ("a@c.example",), "B2": ("a@c.example", "b@c.example")}
