"""Answered workbooks come back. Under the study's lock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.bug_log import write_bug_log
from flows.faults import refuse_to_go_on
from flows.folder import StudyFolder
from schemas.errors import CarmonyError


def take_new_answers(root: str) -> list[dict[str, Any]]:
    """As `take_answers` of all that is new, for a run: a bug in reading answers stops no publishing."""
    try:
        return take_answers(root)
    except CarmonyError:
        raise
    except Exception as error:
        refuse_to_go_on(error, StudyFolder(Path(root)))
        log = write_bug_log(error, root)
        text = f"a bug while answers were read; they stay in answers/. Please send this file: {log}"
        return [
            {
                "file": "",
                "center_id": "",
                "state": "failed",
                "n_answers": 0,
                "n_unanswered": 0,
                "message": text,
                "problems": [text],
            }
        ]


def take_answers(root: str, files: Sequence[Path] | None = None) -> list[dict[str, Any]]:
    """Takes the answers of files into the log of queries.

    Args:
        root: the study folder.
        files: the files; None takes what is new under `answers/<center>/`.

    Returns:
        A record per file that says something new: `file` (its path in the study, else its name), `center_id`, `state`, `n_answers`
        (queries answered now), `n_unanswered` (lines left empty), `message`, and `problems` (a sentence
        each, without values). A file taken before is named only where it was asked for.
    """
    from warehouse.query_answers import import_answers
    from warehouse.query_answers.importing import KNOWN

    found = import_answers(Path(root), files)
    return [
        {
            "file": _shown(file.path, Path(root)),
            "center_id": file.center_id or "",
            "state": file.status,
            "n_answers": file.n_events,
            "n_unanswered": file.content.n_unanswered if file.content else 0,
            "message": file.message,
            "problems": [_placed(str(p), file.path, Path(root)) for p in file.problems],
        }
        for file in found
        if files is not None or file.status != KNOWN
    ]


def _shown(path: Path, root: Path) -> str:
    """The file as its user knows it: every center's workbook has the same name."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.name


def _placed(problem: str, path: Path, root: Path) -> str:
    """The sentence with the file's path in the place of its name."""
    rest = problem.removeprefix(f"file '{path.name}'")
    return problem if rest == problem else f"file '{_shown(path, root)}'{rest}"
