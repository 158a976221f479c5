"""Brings packets to their centers as `study.yaml` says, each one once. Under the study's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows import parts
from flows.bug_log import write_bug_log
from flows.faults import was_interrupted
from flows.folder import StudyFolder
from flows.outcome import DELIVERED, NO_ADDRESS, NOT_SENT
from flows.sending import record
from flows.sending.failure import DeliveryError
from flows.sending.parcel import Parcel, newest_packet, packets_of, part_of
from schemas.errors import CarmonyError

_AGAIN = "the packet stays in the vault, and the next run tries again"


def waiting(root: str) -> list[dict[str, str]]:
    """The newest packet of each center that has not got it, if `study.yaml` delivers packets.

    An older packet is not brought any more: the newest holds all that is open. One about whose queries
    something happened since is not brought either: `overtaken` has it written anew.

    Returns:
        `center_id` and `packet` (its name), sorted.
    """
    folder = StudyFolder(Path(root))
    packets = _not_delivered(folder)
    late = _outdated(folder, packets)
    return [
        {"center_id": center_id, "packet": packet.name}
        for center_id, packet in packets.items()
        if center_id not in late
    ]


def overtaken(folder: StudyFolder) -> set[str]:
    """Centers with an address whose packet did not reach them, and is no longer what is asked."""
    return _outdated(folder, _not_delivered(folder))


def _not_delivered(folder: StudyFolder) -> dict[str, Path]:
    home = folder.vault / "packets"
    if parts.load_study(folder).notification.method == "off" or not home.is_dir():
        return {}
    newest = {p.name: newest_packet(folder, p.name) for p in sorted(home.iterdir()) if p.is_dir()}
    brought = record.delivered(folder)
    return {
        center_id: packet
        for center_id, packet in newest.items()
        if packet and (center_id, packet.name) not in brought
    }


def _outdated(folder: StudyFolder, packets: Mapping[str, Path]) -> set[str]:
    addressed = parts.load_study(folder).notification.centers
    told = {c: part_of(packet) for c, packet in packets.items() if c in addressed}
    if not told:
        return set()
    from flows.sending.news import outdated
    from warehouse.queries import QueryLog

    log = QueryLog.read(folder.root)
    return outdated(log.events, log.queries, told)


def deliver_all(root: str, waiting_packets: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """Brings each packet; what became of it, as `deliver` tells."""
    return [deliver(root, entry["center_id"], entry["packet"]) for entry in waiting_packets]


def deliver(root: str, center_id: str, packet: str) -> dict[str, Any]:
    """Brings one packet to its center. Never raises for a failed delivery.

    Args:
        root: the study folder.
        center_id: the center.
        packet: name of its packet.

    Returns:
        `center_id`, `packet`, `state`, `message` and `can_pass`.
    """
    folder = StudyFolder(Path(root))
    method = parts.load_study(folder).notification.method
    found: dict[str, Any] = {
        "center_id": center_id,
        "packet": packet,
        "state": DELIVERED,
        "message": "",
        "can_pass": False,
    }
    if (center_id, packet) in record.delivered(folder):
        return found
    try:
        message = _bring(folder, center_id, packet)
    except DeliveryError as error:
        record.note(folder, center_id, packet, method, record.FAILED)
        return {
            **found,
            "state": NOT_SENT,
            "message": f"{error}\n  {_AGAIN}",
            "can_pass": error.can_pass,
        }
    except CarmonyError as error:
        return {**found, "state": NOT_SENT, "message": str(error)}
    except Exception as error:
        if was_interrupted(error):
            raise
        log = write_bug_log(error, str(folder.root))
        text = f"a bug while its packet was delivered; please send this file: {log}\n  {_AGAIN}"
        return {**found, "state": NOT_SENT, "message": text}
    if message is None:
        return {**found, "state": NO_ADDRESS}
    record.note(folder, center_id, packet, method, record.DELIVERED)
    return {**found, "message": message}


def _bring(folder: StudyFolder, center_id: str, packet: str) -> str | None:
    """What the data manager should know of a packet that was brought; None without an address."""
    study = parts.load_study(folder)
    setting = study.notification
    addresses = setting.centers.get(center_id)
    if not addresses:
        return None
    parcel = Parcel(study.id, center_id, packets_of(folder, center_id) / packet)
    if setting.method == "folder":
        from flows.sending import by_folder

        others = {c: given[0] for c, given in setting.centers.items() if c != parcel.center_id}
        by_folder.put(parcel, addresses[0], folder.root, others)
    elif setting.method == "sftp" and setting.sftp:
        from flows.sending import by_sftp

        by_sftp.put(parcel, addresses[0], folder.root, setting.sftp)
    elif setting.method == "email" and setting.email:
        from flows.sending import by_mail

        language = _language(folder, center_id)
        return by_mail.put(parcel, addresses, setting.email, title=study.title, language=language)
    return ""


def _language(folder: StudyFolder, center_id: str) -> str:
    try:
        return parts.load_spec(folder.spec(center_id)).language
    except (CarmonyError, OSError):
        return "en"  # a spec that cannot be read just now keeps no mail back
