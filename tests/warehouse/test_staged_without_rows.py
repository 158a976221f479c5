"""A staged table without rows has no file; the warehouse is built all the same."""

from __future__ import annotations

from typing import Any


def test_a_delivery_whose_rows_are_all_held_back_is_loaded(small_study: Any, ask: Any) -> None:
    s = small_study
    staged = s.stage("DE01", "a", {}, held_back={"subject": [s.patient("001")]})
    folder = s.folder / staged
    (folder / "address.parquet").unlink()
    assert not (folder / "core" / "subject.parquet").exists()
    path = s.built(s.outcome("DE01", "a", staged), s.one("CH01", "c", "001"))
    assert ask(path, "SELECT center_id, count(*) FROM core.subject GROUP BY 1") == [("CH01", 1)]
    ledger = "SELECT sum(n_rows) FROM quality.ledger WHERE step = 'check' AND outcome = "
    assert ask(path, ledger + "'quarantined'") == [(1,)]
    assert ask(path, ledger + "'out'") == [(1,)]


def test_a_study_in_which_nobody_could_be_used_is_loaded(small_study: Any, ask: Any) -> None:
    s = small_study
    staged = s.stage("DE01", "a", {}, held_back={"subject": [s.patient("001")]})
    path = s.built(s.outcome("DE01", "a", staged))
    assert ask(path, "SELECT count(*) FROM core.subject") == [(0,)]
    assert ask(path, "SELECT count(*) FROM quality.delivery") == [(1,)]
