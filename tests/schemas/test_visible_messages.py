"""Messages hold no character that nobody sees."""

from schemas.errors import CarmonyError, visible


def test_control_and_format_marks_are_escaped_and_lines_stay_lines():
    assert visible("a\tb\u202ec\x1b[1m\ufeff") == "a\\tb\\u202ec\\x1b[1m\\ufeff"
    assert visible("one\ntwo é ≤") == "one\ntwo é ≤"


def test_a_message_shows_a_key_with_a_tab_as_such():
    error = CarmonyError("unknown key 'patien\tt_id'", fix="correct\u200b it")
    assert str(error) == "unknown key 'patien\\tt_id'\n  Fix: correct\\u200b it"
    assert error.args == (error.message,)
