"""`carmony history`: the loads of a study, whether its trail is whole, and a state built again."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import results
from flows.commands import plain_table
from flows.folder import StudyFolder, make_private, open_study_folder, private_files
from schemas.errors import AuditStoppedError, StudyError


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A state built again. `same`: its content hash is that of the state that was published.

    `standing`: what is wrong with the file that stands for the state, as a sentence; nothing if it holds it, or
    is no longer kept.
    """

    path: Path
    load_id: int
    content_hash: str
    published_hash: str
    standing: str = ""

    @property
    def same(self) -> bool:
        """True if every table holds the same rows."""
        return self.content_hash == self.published_hash


def history(arguments: argparse.Namespace) -> int:
    """Runs `carmony history`; exit code 1 if the trail is broken, or a state or the rebuilt one differs."""
    folder = open_study_folder(Path(arguments.study))
    if arguments.rebuild is not None:
        out = Path(arguments.out) if arguments.out else None
        return _show_rebuilt(rebuild(folder.root, arguments.rebuild, out), arguments.json)
    loads = loads_of(folder.root)
    problems = _verify(folder.root) if arguments.verify else []
    if arguments.json:
        print(json.dumps({"loads": loads, "verified": arguments.verify, "problems": problems}))
    else:
        names = list(loads[0]) if loads else ["load"]
        print(plain_table(names, [list(load.values()) for load in loads]))
        for text in problems:
            print(f"BROKEN: {text}")
        if arguments.verify and not problems:
            print(
                "the trail is whole: no entry was changed, removed, moved or cut off; every published state that "
                "is kept holds what was published"
            )
        for name in _not_compared(folder.root) if arguments.verify else []:
            print(f"NOT COMPARED: {name} was written by another version of DuckDB")
    return 1 if problems else 0


def loads_of(root: Path) -> list[dict[str, Any]]:
    """One row per load: what came of it, and who ran it where the trail tells."""
    from warehouse.loads import LoadLog
    from warehouse.trail import entries_of

    users = {entry.get("load_id"): entry["user"] for entry in entries_of(root)}
    kept = {int(path.stem) for path in (root / "published" / "history").glob("*.duckdb")}
    rows = []
    for load in LoadLog.read(root).loads:
        rows.append(
            {
                "load": load.load_id,
                "started": load.started_at.isoformat(sep=" ", timespec="seconds"),
                "outcome": load.outcome,
                "loaded": sum(d.outcome == "loaded" for d in load.deliveries),
                "failed": sum(d.outcome != "loaded" for d in load.deliveries),
                "user": users.get(load.load_id, ""),
                "kept": "yes" if load.load_id in kept else "",
                "content": (load.content_hash or "")[:16],
            }
        )
    return rows


def _verify(root: Path) -> list[str]:
    from flows.withdrawn_kept import lost_marks
    from warehouse.published_files import file_problems
    from warehouse.trail import problems_of

    problems = [*problems_of(root), *file_problems(root)]
    if lost := sum(map(len, lost_marks(root).values())):
        problems.append(
            f"{lost} mark(s) of patients who have withdrawn are not in vault/withdrawn.json, or not in the "
            "trail that its head was made of; the next run restores them"
        )
    return problems


def _not_compared(root: Path) -> list[str]:
    from warehouse.published_files import not_compared

    return not_compared(root)


def _show_rebuilt(rebuilt: Rebuilt, as_json: bool) -> int:
    if as_json:
        content = {
            "path": str(rebuilt.path),
            "load_id": rebuilt.load_id,
            "content_hash": rebuilt.content_hash,
            "published_hash": rebuilt.published_hash,
            "same": rebuilt.same,
            "standing": rebuilt.standing,
        }
        print(json.dumps(content))
    else:
        verdict = (
            "every table holds the rows that were published"
            if rebuilt.same
            else "it DIFFERS from what was published: the program, a patient who was forgotten, or a "
            "changed file in the vault"
        )
        print(f"load {rebuilt.load_id} built again: {rebuilt.path}\n{verdict}")
        if rebuilt.standing:
            print(f"BROKEN: {rebuilt.standing}")
    return 0 if rebuilt.same and not rebuilt.standing else 1


def rebuild(root: Path, load_id: int, out: Path | None = None) -> Rebuilt:
    """Builds a published state again, from what the vault holds.

    Args:
        root: the study folder.
        load_id: a load that was published.
        out: where to put the warehouse; default `vault/rebuilt/<load>.duckdb`.

    Raises:
        StudyError: the load was not published, or the vault no longer holds its settings.
        AuditStoppedError: what was built is not consistent.
    """
    from flows.parts import load_study, run_lock
    from warehouse.build import build_study
    from warehouse.loads import PUBLISHED, LoadLog
    from warehouse.paths import StudyPaths
    from warehouse.pseudonyms import Pseudonymizer, read_id_map
    from warehouse.publish import content_hash
    from warehouse.published_files import difference, file_of, is_comparable
    from warehouse.queries.of_load import MOMENT

    folder = StudyFolder(root)
    load = LoadLog.read(root).load(load_id)
    if load.outcome != PUBLISHED:
        raise StudyError(
            f"Load {load_id} was not published: {load.outcome}.", fix="name a published one"
        )
    Pseudonymizer.of_study(root, load_study(folder).id).refuse_other_key(
        read_id_map(StudyPaths(root).id_map)
    )
    with private_files(), run_lock(str(root)):
        place = folder.vault / ".rebuild"
        shutil.rmtree(place, ignore_errors=True)
        try:
            again = _study_of_then(folder, load_id, make_private(place))
            mark = MOMENT.set(_moment(folder.vault / "queries", load_id))
            try:
                built = build_study(again.root, load_study(again), load_id).path
            finally:
                MOMENT.reset(mark)
            verdict = results.judge(built, again.root, place / "audit")
            if not verdict["passed"]:
                raise AuditStoppedError("; ".join(verdict["critical_failures"]))
            results.shift(again, built)
            target = out or make_private(folder.vault / "rebuilt") / f"{load_id:06d}.duckdb"
            shutil.move(built, target)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    there = file_of(root, load_id)
    wrong = difference(there, load) if there and is_comparable(load) else ""
    standing = f"{there.relative_to(root)} {wrong}" if there and wrong else ""
    return Rebuilt(target, load_id, content_hash(target), load.content_hash or "", standing)


def _study_of_then(folder: StudyFolder, load_id: int, place: Path) -> StudyFolder:
    """A study folder as it stood when the load was built; deliveries and staged rows are links."""
    then = StudyFolder(place)
    make_private(then.vault)
    make_private(then.logs)
    (place / "published").mkdir()
    _settings_of_then(folder, load_id, then)
    for name in ("centers", "vault/staged", "vault/deliveries"):
        if (folder.root / name).exists():
            (place / name).symlink_to((folder.root / name).resolve(), target_is_directory=True)
    # The id map is made again from the deliveries of then: later ids would change what is masked in names of files.
    for name in ("pseudonym.key", "withdrawn.json"):
        if (folder.vault / name).is_file():
            shutil.copy2(folder.vault / name, then.vault / name)
    _log_of_then(folder, load_id, then)
    _queries_of_then(folder, load_id, then)
    number = _load_before(folder, load_id)
    compared = folder.vault / "profiles" / f"{number:06d}.json"  # what the audit compared it with
    if compared.is_file():
        shutil.copy2(compared, make_private(then.vault / "profiles") / compared.name)
    before = folder.published / "history" / f"{number:06d}.duckdb"
    if before.is_file():
        (then.published / "warehouse.duckdb").symlink_to(before.resolve())
    return then


def _settings_of_then(folder: StudyFolder, load_id: int, then: StudyFolder) -> None:
    from schemas.spec.plans import plan_file
    from warehouse.loads import LoadLog
    from warehouse.trail import entries_of

    home = folder.vault / "settings"
    kept = home / f"{LoadLog.read(folder.root).load(load_id).study_hash}.yaml"
    if not kept.is_file():
        raise StudyError(
            f"The settings of load {load_id} are not kept in vault/settings.",
            fix="restore the folder from a backup",
        )
    shutil.copyfile(kept, then.settings)
    from flows.parts import load_study

    plan = plan_file(load_study(StudyFolder(folder.root)))
    if plan.parent == folder.root:  # a plan of the study; the others come with the program
        hashes = [
            e.get("plan_hash") for e in entries_of(folder.root) if e.get("load_id") == load_id
        ]
        old = home / f"{hashes[-1] if hashes else ''}.yaml"
        shutil.copyfile(old if old.is_file() else plan, then.root / plan.name)


def _log_of_then(folder: StudyFolder, load_id: int, then: StudyFolder) -> None:
    """The load log up to the load, which has no end yet."""
    from warehouse.load_events import append_event, read_events

    events, _ = read_events(folder.logs / "loads.jsonl")
    for event in events:
        number = event.get("load_id", 0)
        if number < load_id or (number == load_id and event["event"] != "end"):
            append_event(then.logs / "loads.jsonl", event)


def _queries_of_then(folder: StudyFolder, load_id: int, then: StudyFolder) -> None:
    """The parts of the query log that stood before the load: of earlier loads, and of people."""
    import polars as pl

    from warehouse.loads import LoadLog

    home = folder.vault / "queries"
    if not home.is_dir():
        return
    ended = LoadLog.read(folder.root).load(load_id).ended_at
    target = make_private(then.vault / "queries")
    for path in sorted(home.glob("*.parquet")):
        _, _, what = path.stem.partition("-")
        if what.startswith("load-"):
            wanted = int(what.removeprefix("load-")) < load_id
        else:
            moments = pl.read_parquet(path, columns=["at"], glob=False)["at"].to_list()
            wanted = ended is not None and bool(moments) and max(moments) <= ended
        if wanted:
            shutil.copyfile(path, target / path.name)
    counts = make_private(target / "counts")
    for path in (home / "counts").glob("*.parquet"):
        if int(path.stem) < load_id:
            shutil.copyfile(path, counts / path.name)


def _moment(queries: Path, load_id: int) -> dt.datetime | None:
    """When the load wrote its part of the log of queries; None if it wrote none."""
    import polars as pl

    for path in queries.glob(f"*-load-{load_id}.parquet"):
        moments = pl.read_parquet(path, columns=["at"], glob=False)["at"].to_list()
        if moments:
            return max(moments)  # type: ignore[no-any-return]
    return None


def _load_before(folder: StudyFolder, load_id: int) -> int:
    from warehouse.loads import PUBLISHED, LoadLog

    done = [load.load_id for load in LoadLog.read(folder.root).loads if load.outcome == PUBLISHED]
    return max((number for number in done if number < load_id), default=0)
