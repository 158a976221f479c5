"""Reads one big delivery in a process of its own: `python -m flows.stage_child`.

One JSON object on standard input says which; one line of JSON on standard output says how it ended.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

from flows import parts
from flows.bug_log import describe
from flows.children import die_with_parent
from flows.disk_full import DiskFullError
from flows.faults import study_fault
from flows.folder import StudyFolder
from schemas.delivery import DeliveredFile, Delivery
from schemas.errors import CarmonyError, FileError


def main() -> int:
    """Stages the delivery; the answer is `{}`, or what went wrong, without values."""
    die_with_parent(os.getppid())
    request = json.load(sys.stdin)
    print(json.dumps(_answer(request)))
    return 0


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    folder = StudyFolder(Path(request["root"]))
    delivery = Delivery(
        request["center_id"],
        request["delivery_id"],
        Path(request["path"]),
        dt.date.fromisoformat(request["received_on"]),
        tuple(DeliveredFile(*file) for file in request["files"]),
    )
    try:
        spec = parts.load_spec(folder.spec(delivery.center_id))
        parts.stage(spec, delivery, Path(request["out"]), parts.load_study(folder))
    except FileError as error:
        place = error.place
        return {
            "code": error.code,
            "place": {
                "file": place.file,
                "sheet": place.sheet,
                "row": place.row,
                "column": place.column,
            },
            "problem": error.message.removeprefix(f"{place}: ").removesuffix(f" [{error.code}]"),
            "fix": error.fix,
        }
    except CarmonyError as error:
        return {"message": error.message, "fix": error.fix}
    except Exception as error:
        fault = study_fault(error, folder.root)
        if isinstance(fault, DiskFullError):
            return {"full": fault.message, "fix": fault.fix}
        return {"bug": describe(error)}
    return {}


if __name__ == "__main__":
    sys.exit(main())
