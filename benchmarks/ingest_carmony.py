"""One measured run of the ingest benchmark: read, map, check and load, as `carmony run` does them.

    python benchmarks/ingest_carmony.py FOLDER

FOLDER is what make_assessments.py wrote. Runs in a process of its own, so that start-up counts.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Stages twelve deliveries and loads them into one warehouse file."""
    from schemas.delivery import read_delivery
    from schemas.spec import load_spec, load_study
    from transforms.stage import process_center
    from warehouse.build import build_study
    from warehouse.loads import DeliveryOutcome, LoadLog

    shutil.rmtree(folder / "vault", ignore_errors=True)
    study = load_study(folder)
    log = LoadLog.read(folder)
    load_id = log.start("benchmark", {})
    outcomes = []
    for inbox in sorted((folder / "inbox").iterdir()):
        day = dt.date(2025, 10, 31)
        spec = load_spec(folder / "centers" / f"{inbox.name}.yaml")
        delivery = read_delivery(inbox.name, inbox, day)
        staged = folder / "vault" / "staged" / inbox.name / delivery.delivery_id
        process_center(spec, delivery, staged, study)
        outcomes.append(
            DeliveryOutcome(
                inbox.name,
                delivery.delivery_id,
                day,
                1,
                spec.spec_hash,
                "benchmark",
                "loaded",
                spec.mode,
                str(staged.relative_to(folder)),
                "",
            )  # fmt: skip
        )
    log.record(load_id, outcomes)
    result = build_study(folder, study, load_id, derive=lambda con, study: None)
    print(result.path)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
