"""The stages of a run after the deliveries are read; each a plain function over paths and counts.

    read_answers → pull, process (flows.center) → assemble → judge → publish → report → query_packets
    → deliver_packet

`flows.run` calls them directly, `flows.study_flow` as Prefect tasks. What passes between them are
small dicts, never rows.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from flows import parts, recovery, results
from flows.fingerprint import content_key, file_hash, study_code
from flows.folder import StudyFolder, make_private, open_study_folder, open_to_readers
from flows.outcome import LOADED, UNCHANGED, DeliveryOutcome
from flows.pull import inbox_centers, stray_files
from flows.recovery import announce, complete, replace_folder
from schemas.errors import StudyError
from warehouse.pseudonyms import refuse_lost_key

_NAMED_BY_IDS = (
    "note: {}: names of files or sheets hold ids of patients; they are masked in what is published. "
    "Ask the center to name them otherwise"
)


def prepare(root: str, centers: Sequence[str], accept_fewer: Sequence[str] = ()) -> dict[str, Any]:
    """Reads the study and lists the centers of this run.

    Args:
        root: the study folder.
        centers: only these; empty means all that have a spec or a delivery.
        accept_fewer: centers of which a delivery with fewer patients is taken.

    Returns:
        `root`, `study_id`, `centers` (sorted ids) and `notes` (what is left out without an error).

    Raises:
        StudyError: no study, a broken `study.yaml` (a check that is not there among it), or a center that
            is not in the study.
    """
    folder = open_study_folder(Path(root))
    study = parts.load_study(folder)
    refuse_lost_key(folder.root, study.id)  # also where nothing new would need it
    if study.audit.warn_only or study.audit.stop:
        from expectations.load import chosen_suite

        chosen_suite(study.audit)  # a wrong name is told now, not when all has been read
    known = sorted(
        {p.stem for p in (folder.root / "centers").glob("*.yaml")} | set(inbox_centers(folder))
    )
    unknown = sorted({*centers, *accept_fewer} - set(known))
    if unknown:
        raise StudyError(
            f"The study has no center {', '.join(repr(c) for c in unknown)}. "
            f"Its centers: {', '.join(known) or 'none'}.",
            fix="write the id as the file in centers/ is named",
        )
    return {
        "root": str(folder.root),
        "study_id": study.id,
        "centers": sorted(set(centers)) or known,
        "notes": [
            *_unknown(study.centers or (), known, "centers"),
            *_unknown(study.notification.centers, known, "notification.centers"),
            *_outside_of_centers(folder),
        ],
    }


def _unknown(named: Iterable[str], known: Sequence[str], key: str) -> list[str]:
    return [
        f"note: study.yaml names the center '{center}' under '{key}', but there is neither "
        f"centers/{center}.yaml nor inbox/{center}; correct the id, or remove it"
        for center in named
        if center not in known
    ]


def _outside_of_centers(folder: StudyFolder) -> list[str]:
    return [
        f"note: inbox/{name} belongs to no center and is not read; move it to "
        "inbox/<center>/<YYYY-MM-DD>/"
        for name in stray_files(folder)
    ]


def state_key(root: str, outcomes: Sequence[DeliveryOutcome], load_id: int | None = None) -> str:
    """Hash of all that a published state rests on.

    Deliveries in force (the name of a staged folder holds delivery, spec and code), failures of the
    run, settings and analysis plan of the study, what people did to queries, and the code that turns
    staged rows into results.

    Args:
        root: the study folder.
        outcomes: of the run.
        load_id: a load that is about to be published: its deliveries are in force then.
    """
    folder = StudyFolder(Path(root))
    current = sorted(staged.folder.name for staged in parts.current_deliveries(folder, load_id))
    failures = sorted(
        (o.center_id, o.delivery_id, o.state, o.code)
        for o in outcomes
        if o.trouble and o.told_in_load
    )
    settings = [file_hash(folder.settings), parts.plan_hash(folder)]
    asked = parts.query_marks(folder)
    return content_key([current, failures, settings, asked, study_code()])


def is_published(root: str, outcomes: Sequence[DeliveryOutcome]) -> bool:
    """True if this run adds nothing to what is published."""
    folder = StudyFolder(Path(root))
    if not folder.warehouse.is_file() or any(o.state == LOADED for o in outcomes):
        return False
    return bool(parts.published_state(folder).get("key") == state_key(root, outcomes))


def published_fault(root: str) -> str:
    """What is wrong with the published file; nothing if it is the one that was published."""
    return recovery.published_fault(StudyFolder(Path(root)))


def nothing_came(root: str, outcomes: Sequence[DeliveryOutcome]) -> bool:
    """True if no delivery has come in this run or before: there is nothing to make a load of."""
    if any(o.told_in_load for o in outcomes):
        return False
    return not parts.current_deliveries(StudyFolder(Path(root)))


def report_is_current(root: str) -> bool:
    """True if the report was rendered from the published warehouse."""
    folder = StudyFolder(Path(root))
    state = parts.published_state(folder)
    pages = (folder.report / "report.html", folder.quality / "scorecard.html")
    return all(page.is_file() for page in pages) and state.get("report_of") == state.get("load_id")


def open_load(root: str, outcomes: Sequence[DeliveryOutcome]) -> int:
    """Opens a load in the log, with what became of each delivery."""
    return parts.begin_load(StudyFolder(Path(root)), outcomes)


def write_packets(root: str, load_id: int, outcomes: Sequence[DeliveryOutcome]) -> None:
    """Writes the files of findings of the deliveries of this load, for their centers.

    Also those of other deliveries in force that a rule over all centers asks about. They are
    written before the load is published: a run that dies before that does all of it again.
    """
    folder = StudyFolder(Path(root))
    written = set()
    for outcome in outcomes:
        if outcome.state == LOADED:
            parts.write_packet(folder, outcome)
            written.add((outcome.center_id, outcome.delivery_id))
    parts.write_study_packets(folder, load_id, written)


def close_load(root: str, load_id: int, outcome: str, content: str = "") -> None:
    """Closes a load in the log; a load that is closed already stays as it is."""
    folder = StudyFolder(Path(root))
    if parts.read_log(folder).load(load_id).outcome == "running":
        parts.end_load(folder, load_id, outcome, content)


def assemble(root: str, load_id: int, tell: Callable[[str], None] = lambda note: None) -> str:
    """Builds the staged warehouse of a load, with the analysis tables.

    Args:
        root: the study folder.
        load_id: the load.
        tell: called with what somebody should know of the deliveries.

    Returns:
        The file; nothing where there is no delivery to build from.

    Raises:
        AuditStoppedError: keys, references or the ledger do not hold.
    """
    folder = StudyFolder(Path(root))
    if not parts.current_deliveries(folder, load_id):
        return ""
    built = results.build(folder, load_id)
    for center_id in built.named_by_ids:
        tell(_NAMED_BY_IDS.format(center_id))
    return str(built.path)


def count_findings(warehouse: Path, outcomes: Sequence[DeliveryOutcome]) -> None:
    """Puts the findings that a warehouse holds of each delivery in the place of those of its reading.

    The build adds some: what differs between deliveries, what repeats in another center.

    Args:
        warehouse: staged or published.
        outcomes: of the run; those of which nothing stands in the warehouse stay as they are.
    """
    from warehouse.finding_counts import finding_counts

    counts = finding_counts(warehouse)
    for outcome in outcomes:
        key = (outcome.center_id, outcome.delivery_id)
        if outcome.state in (LOADED, UNCHANGED) and key in counts:
            outcome.errors, outcome.warnings = counts[key]


def judge(
    root: str,
    load_id: int,
    staged_file: str,
    child: Any = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Estimates and audit of the staged warehouse, in a process of its own.

    Args:
        root: the study folder.
        load_id: the load.
        staged_file: the staged warehouse.
        child: a `flows.judge.Judge` that was started earlier; None starts one.
        meanwhile: what this process does while the other one works.

    Returns:
        `passed`, `critical_failures`, `warnings` and `results` (folder of the audit's results).
    """
    from flows.judge import Judge

    folder = StudyFolder(Path(root))
    place = make_private(folder.vault / "audit") / str(load_id)
    with child or Judge() as process:
        process.ask(Path(staged_file), folder.root, place)
        meanwhile()
        answer = process.answer()
    return {**answer, "results": str(place)}


def publish(
    root: str,
    load_id: int,
    staged_file: str,
    outcomes: Sequence[DeliveryOutcome],
    audit_results: str,
) -> str:
    """Puts the staged warehouse in the place of the published one.

    Args:
        root: the study folder.
        load_id: the load.
        staged_file: the staged warehouse; it has passed the audit.
        outcomes: of the run.
        audit_results: folder of the audit's results; they are published beside.

    Returns:
        The content hash.
    """
    folder = StudyFolder(Path(root))
    fault = recovery.published_fault(folder)  # before a new load is announced
    announce(folder, load_id, state_key(root, outcomes, load_id))
    content = results.publish(folder, Path(staged_file), replaces_damaged=bool(fault))
    complete(folder, load_id, content, Path(audit_results))
    return content


def report(root: str, exports: bool = False) -> str:
    """Renders the report from the published warehouse; returns the path of the page.

    Args:
        root: the study folder.
        exports: also the files that journals ask for (PDF, PNG, DOCX).
    """
    folder = StudyFolder(Path(root))
    fresh = folder.published / ".report.new"
    shutil.rmtree(fresh, ignore_errors=True)
    page = results.render(folder, fresh)
    if exports:
        results.export(folder, fresh)
    replace_folder(fresh, folder.report)
    open_to_readers(folder.report)
    results.scorecards(folder)
    open_to_readers(folder.quality)
    parts.remember_state(folder, {"report_of": parts.published_state(folder).get("load_id")})
    return str(folder.report / page.name)


def read_answers(root: str) -> list[dict[str, Any]]:
    """Takes in the answered workbooks that are new, if `study.yaml` lets a run do so.

    Returns:
        What became of each file, as `flows.sending.answers.take_answers` tells.
    """
    folder = StudyFolder(Path(root))
    if parts.load_study(folder).queries.answers != "read" or not any(folder.answers.glob("*/*")):
        return []
    from flows.sending.answers import take_new_answers

    return take_new_answers(root)


def query_packets(root: str) -> list[dict[str, Any]]:
    """Writes packets of questions for centers with something new.

    Returns:
        As `flows.sending.packets.write_packets`.
    """
    if not (Path(root) / "vault" / "queries").is_dir():
        return []
    from flows.sending.packets import write_due_packets

    return write_due_packets(root)


def waiting_packets(root: str) -> list[dict[str, str]]:
    """Packets that have not reached their center, if `study.yaml` delivers packets."""
    if parts.load_study(StudyFolder(Path(root))).notification.method == "off":
        return []
    from flows.sending.delivery import waiting

    return waiting(root)


def deliver_packet(root: str, center_id: str, packet: str) -> dict[str, Any]:
    """Brings one packet to its center; never raises for a failed delivery."""
    from flows.sending.delivery import deliver

    return deliver(root, center_id, packet)
