"""A study in which nobody has relapsed yet: true data without a cohort, not a fault."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402

from flows.cli import main  # noqa: E402
from tests.flows import lenient_runs  # noqa: E402
from warehouse.connect import query  # noqa: E402


def test_a_study_without_a_relapse_is_published_and_its_empty_cohort_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small_study.make_study(tmp_path / "study")
    for name in ("relapse", "treatment_line", "response"):
        for file in root.glob(f"inbox/*/*/{name}.csv"):
            header = file.read_text(encoding="utf-8").splitlines()[0]
            file.write_text(f"{header}\n", encoding="utf-8")
    lenient_runs.judge_here(monkeypatch)
    assert main(["run", str(root)]) == 0
    told = capsys.readouterr()
    assert "AUD-13" in told.err + told.out  # a warning: no center has a patient in the cohort
    counts = "select (select count(*) from core.subject), (select count(*) from analysis.adsl)"
    assert query(root, counts).rows == [(18, 0)]
    page = (root / "published" / "report" / "report.html").read_text(encoding="utf-8")
    assert "0 patients in the cohort" in page
    assert "not estimable" in page
