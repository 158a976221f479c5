from schemas.rules import load_rules
from schemas.rules_docs import PAGE, page


def test_the_page_of_rules_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m schemas.rules_docs"


def test_the_page_names_every_rule() -> None:
    text = page()
    assert all(f"| {rule.id} {rule.title} |" in text for rule in load_rules())
