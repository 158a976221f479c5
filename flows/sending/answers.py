"""Answered workbooks come back. Under the study's lock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def take_answers(root: str, files: Sequence[Path] | None = None) -> list[dict[str, Any]]:
    """Takes the answers of files into the log of queries.

    Args:
        root: the study folder.
        files: the files; None takes what is new under `answers/<center>/`.

    Returns:
        A record per file that says something new: `file` (its name), `center_id`, `state`, `n_answers`
        (queries answered now), `n_unanswered` (lines left empty), `message`, and `problems` (a sentence
        each, without values). A file taken before is named only where it was asked for.
    """
    from warehouse.query_answers import import_answers
    from warehouse.query_answers.importing import KNOWN

    found = import_answers(Path(root), files)
    return [
        {
            "file": file.path.name,
            "center_id": file.center_id or "",
            "state": file.status,
            "n_answers": file.n_events,
            "n_unanswered": file.content.n_unanswered if file.content else 0,
            "message": file.message,
            "problems": [str(problem) for problem in file.problems],
        }
        for file in found
        if files is not None or file.status != KNOWN
    ]
