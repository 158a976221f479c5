"""From the inbox into the vault: each delivery becomes an immutable copy, named by its content.

A delivery is whatever stands in `inbox/<center>/` under a name that begins with its date: a folder
`2024-06-14`, a zip or a single file `2024-06-14_export.xlsx`. A file that changes while it is copied
is left for the next run. An index in the vault keeps size and time of what was taken, so that
nothing is copied or hashed twice.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.copying import copy_file, no_file
from flows.faults import refuse_to_go_on, unreadable
from flows.folder import StudyFolder, make_private, write_json
from flows.outcome import FUTURE
from flows.room import refuse_too_large, room_for
from schemas.delivery import DeliveredFile, Delivery, read_delivery
from schemas.errors import CarmonyError, FileError, Place
from transforms.read.source import shown

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[._ -].*)?", re.DOTALL)
_AHEAD = dt.timedelta(days=1)  # where the center is, it may be tomorrow already
_FRESH, _PAUSE = 0.5, 0.1  # seconds: written so short ago, it is looked at again after a moment
_LITTER = {"thumbs.db", "desktop.ini"}
_PASSING = frozenset({"CHANGING", "NO_ROOM"})  # the next run may be able to take it
Signature = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry of the inbox that could not be taken; `can_pass` if a later try may succeed."""

    entry: str
    received_on: str
    code: str
    message: str
    can_pass: bool


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a center's inbox gave: deliveries oldest first, and entries that could not be taken."""

    deliveries: tuple[Delivery, ...]
    repeated: tuple[Delivery, ...]  # the files of an earlier delivery again
    problems: tuple[Problem, ...]


def inbox_centers(folder: StudyFolder) -> list[str]:
    """Ids of the centers that have a folder in the inbox, sorted."""
    if not folder.inbox.is_dir():
        return []
    return sorted(p.name for p in folder.inbox.iterdir() if _is_center(p))


def stray_files(folder: StudyFolder) -> list[str]:
    """Names in the inbox that are no folder of a center, sorted and printable: nobody's delivery."""
    if not folder.inbox.is_dir():
        return []
    return [shown(path.name) for path in _entries(folder.inbox) if not _is_center(path)]


def _is_center(path: Path) -> bool:
    """A folder; one with control characters in its name can be no center's, which a spec names."""
    return path.is_dir() and path.name[0] != "." and shown(path.name) == path.name


def pull_center(folder: StudyFolder, center_id: str, until: dt.date | None = None) -> Pulled:
    """Copies what is new in a center's inbox into the vault.

    Args:
        folder: the study.
        center_id: the center.
        until: deliveries of a later date are left alone.

    Returns:
        Every delivery of the inbox, with the path of its copy in the vault, and the problems.
    """
    home = make_private(folder.deliveries(center_id))
    for left in home.glob(".incoming-*"):
        shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
    index_file = home / "index.json"
    index = _read_index(index_file)
    found: list[Delivery] = []
    problems: list[Problem] = []
    inbox = folder.inbox / center_id
    if inbox.is_symlink():
        return Pulled((), (), (_linked(center_id),))
    try:
        entries = _entries(inbox)
    except OSError as error:
        return Pulled((), (), (_unreadable(error, folder, inbox, ""),))
    for entry in entries:
        received_on = None
        try:
            received_on = _date_of(entry)
            if until is None or received_on <= until:
                _refuse_future(entry, received_on)
                found.append(_take(entry, center_id, received_on, home, index))
        except CarmonyError as error:
            code = error.code if isinstance(error, FileError) else ""
            problems.append(
                Problem(
                    shown(entry.name), str(received_on or ""), code, str(error), code in _PASSING
                )
            )
        except OSError as error:
            refuse_to_go_on(error, folder)
            problems.append(_unreadable(error, folder, entry, str(received_on or "")))
    write_json(index_file, index)
    first, repeated = _without_repeats(sorted(found, key=lambda d: d.received_on))
    return Pulled(first, repeated, tuple(problems))


def _entries(inbox: Path) -> list[Path]:
    if not inbox.is_dir():
        return []
    return sorted(p for p in inbox.iterdir() if not _is_litter(p.name))


def _is_litter(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _LITTER


def date_in_name(name: str) -> dt.date | None:
    """The date with which a name begins, as `2024-06-14_export.zip`."""
    match = _NAME.fullmatch(name)
    try:
        return dt.date.fromisoformat(match.group(1)) if match else None
    except ValueError:
        return None


def _date_of(entry: Path) -> dt.date:
    found = date_in_name(entry.name)
    if found is None:
        raise FileError(
            "NAME",
            Place(shown(entry.name)),
            "the name does not begin with the date of the delivery",
            fix="name the folder or file by the day it came, as 2024-06-14 or 2024-06-14_export.zip",
        )
    return found


def _refuse_future(entry: Path, received_on: dt.date) -> None:
    """A day that has not come would stand above every later delivery, for years."""
    today = _today()
    if received_on > today + _AHEAD:
        raise FileError(
            FUTURE,
            Place(shown(entry.name)),
            f"the name gives a day in the future: this machine's clock says {today}; the delivery is "
            "not taken, and nothing is published for it",
            fix="rename the folder or file to the day it came; if it is the clock that is wrong, set it "
            "right and run again",
        )


def _today() -> dt.date:
    return dt.date.today()


def _linked(center_id: str) -> Problem:
    """A link in the place of a center's folder could lead to the files of another."""
    error = FileError(
        "WRONG_TYPE",
        Place(f"inbox/{shown(center_id)}"),
        "this is a link, not a folder: nothing in it is taken",
        fix="make it a folder and put the deliveries themselves into it",
    )
    return Problem("", "", error.code, str(error), can_pass=False)


def _unreadable(error: OSError, folder: StudyFolder, entry: Path, received_on: str) -> Problem:
    place = entry.relative_to(folder.root).as_posix()
    text = unreadable(error, folder.root, place)
    lines = (shown(line) for line in text.split("\n  Fix: "))  # a newline in a name is none of ours
    return Problem(shown(entry.name), received_on, "UNREADABLE", "\n  Fix: ".join(lines), True)


def _take(
    entry: Path, center_id: str, received_on: dt.date, home: Path, index: dict[str, Any]
) -> Delivery:
    """The delivery in the vault: known from the index, or copied now."""
    before = _signature(entry)
    known = index.get(entry.name)
    if known and known["signature"] == before:
        files = tuple(DeliveredFile(**file) for file in known["files"])
        path = home / known["delivery_id"]
        if _is_whole(path, files):
            return Delivery(center_id, known["delivery_id"], path, received_on, files)
        shutil.rmtree(path, ignore_errors=True)  # a crash of the machine took a part of the copy
    place, sizes = f"inbox/{center_id}/{entry.name}", [(name, size) for name, size, _ in before]
    refuse_too_large(place, sizes)
    with room_for(place, center_id, sizes, home):
        delivery = _copied(entry, center_id, received_on, home, before)
    index[entry.name] = {
        "signature": before,
        "delivery_id": delivery.delivery_id,
        "files": [asdict(file) for file in delivery.files],
    }
    return delivery


def _copied(
    entry: Path, center_id: str, received_on: dt.date, home: Path, before: Signature
) -> Delivery:
    """Copies a delivery into the vault; what cannot be taken whole leaves nothing there."""
    incoming = Path(tempfile.mkdtemp(dir=home, prefix=".incoming-"))
    try:
        _copy(entry, incoming)
        if _youngest(before) > time.time() - _FRESH:
            time.sleep(
                _PAUSE
            )  # a sender that writes piece by piece may just have stopped for breath
        if _signature(entry) != before:
            raise FileError(
                "CHANGING",
                Place(shown(entry.name)),
                "the delivery changed while it was copied; it is probably still being sent",
                fix="wait until the transfer is complete and run again",
            )
        delivery = read_delivery(center_id, incoming, received_on)
        target = home / delivery.delivery_id
        if not target.is_dir():
            _seal(incoming)
            incoming.rename(target)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return Delivery(center_id, delivery.delivery_id, target, received_on, delivery.files)


def _is_whole(path: Path, files: tuple[DeliveredFile, ...]) -> bool:
    places = [(path / file.name, file.size) for file in files]
    return all(place.is_file() and place.stat().st_size == size for place, size in places)


def _signature(entry: Path) -> Signature:
    """Name, size and time of every file; raises FileError for links, pipes and empty deliveries."""
    members = [entry] if not entry.is_dir() or entry.is_symlink() else _tree(entry)
    files: Signature = []
    for path in members:
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise no_file(path)
        if path.is_file() and not _is_litter(path.name):
            status = path.stat()
            name = "" if path == entry else path.relative_to(entry).as_posix()
            files.append([name, status.st_size, status.st_mtime_ns])
    if not files:
        raise FileError(
            "EMPTY",
            Place(shown(entry.name)),
            "the delivery holds no file",
            fix="put the center's files into it, or remove the empty folder",
        )
    return files


def _youngest(files: Signature) -> float:
    """When the last of the files was written, in seconds since 1970."""
    return max(float(written) for _, _, written in files) / 1e9


def _tree(folder: Path) -> list[Path]:
    """Everything below a folder, sorted; links are named, not followed.

    Raises:
        OSError: A folder cannot be listed: it is not empty, it is not known.
    """

    def refuse(error: OSError) -> None:
        raise error

    found = []
    for place, folders, files in os.walk(folder, onerror=refuse):
        found += [Path(place, name) for name in (*folders, *files)]
    return sorted(found)


def _copy(entry: Path, target: Path) -> None:
    if not entry.is_dir():
        copy_file(entry, target / entry.name)
        return
    for path in _tree(entry):
        if path.is_file() and not _is_litter(path.name):
            copy = target / path.relative_to(entry)
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy_file(path, copy)


def _seal(folder: Path) -> None:
    """Read-only files in a folder that only the owner enters."""
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o400)
    folder.chmod(0o700)


def _without_repeats(
    deliveries: list[Delivery],
) -> tuple[tuple[Delivery, ...], tuple[Delivery, ...]]:
    seen: dict[str, Delivery] = {}
    repeated = []
    for delivery in deliveries:
        if delivery.delivery_id in seen:
            repeated.append(delivery)
        else:
            seen[delivery.delivery_id] = delivery
    return tuple(seen.values()), tuple(repeated)


def _read_index(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # everything is hashed again; nothing is lost
    return content if isinstance(content, dict) else {}
