"""Answers that come back: returned workbooks of queries to answers and problems, nothing lost.

`grids` gives the bare rows of a file, `blocks` finds titles and lines, `lines` reads them, `judge` says
what becomes of each, `tell` puts problems into words (`problems`), `importing` takes all new files of a
study into the log.
"""

from __future__ import annotations

from warehouse.query_answers.importing import ImportedFile, import_answers
from warehouse.query_answers.problems import Problem
from warehouse.query_answers.read import AnswerFile, read_answers

__all__ = ["AnswerFile", "ImportedFile", "Problem", "import_answers", "read_answers"]
