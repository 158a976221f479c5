"""The command `queries`: list, show, release, send, import, close, reopen.

Queries are named by their id, and patients by their pseudonym: the center's own ids stay in the vault.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows import parts
from flows.folder import StudyFolder, open_study_folder, private_files
from flows.query_choice import centers_of, chosen, known_ids, log_of, states, unknown
from schemas.errors import StudyError

_HEADER = ("id", "center", "patient", "rule", "severity", "field", "state", "answer", "days")


def queries(arguments: argparse.Namespace) -> int:
    """Does what `arguments.action` names."""
    action = {
        "list": _list,
        "release": _release,
        "send": _send,
        "import": _import,
        "close": _close,
        "reopen": _reopen,
        "show": _show,
    }[arguments.action]
    folder = open_study_folder(Path(arguments.study))
    parts.load_study(folder)  # a broken study.yaml is told before anything is done
    with private_files():
        return action(folder, arguments)


# list --------------------------------------------------------------------------------------------


def _list(folder: StudyFolder, arguments: argparse.Namespace) -> int:
    from flows.commands import plain_table
    from flows.query_list import counts, listed_rows

    shown = chosen(folder, arguments, states(arguments.state))
    rows = listed_rows(folder, shown, dt.datetime.now(dt.UTC))
    by_state = counts(log_of(folder).queries)
    if arguments.json:
        found = [dict(zip(_HEADER, row, strict=True)) for row in rows]
        print(json.dumps({"queries": found, "counts": by_state}))
        return 0
    if rows:
        print(plain_table(_HEADER, rows))
    else:
        print("no such query" if by_state else "no query yet")
    if by_state:
        print("in all: " + ", ".join(f"{n:,} {state}" for state, n in by_state.items()))
    return 0


# release, close ----------------------------------------------------------------------------------


def _release(folder: StudyFolder, arguments: argparse.Namespace) -> int:
    filters = bool(arguments.center or arguments.rule)
    if bool(arguments.ids) == (filters or arguments.all):
        raise StudyError(
            "Which queries? Give their ids, or --center and --rule, or --all; not ids and the others.",
            fix=f"carmony queries {arguments.study} list --state candidate",
        )
    from warehouse.queries.transitions import release

    with parts.run_lock(str(folder.root)):
        log = log_of(folder)
        ids = known_ids(log.queries, arguments.ids)
        if not ids:
            ids = chosen(folder, arguments, ("candidate",))["query_id"].to_list()
        events, problems = release(log.queries, ids, dt.datetime.now(dt.UTC))
        _refuse(problems)
        if events.height:
            log.append("release", events)
    text = (
        f"{_count(events.height, 'query')} released; carmony queries STUDY send writes the packets"
    )
    _done(
        arguments, {"released": events["query_id"].to_list()}, text if ids else "no such candidate"
    )
    return 0


def _close(folder: StudyFolder, arguments: argparse.Namespace) -> int:
    from warehouse.queries.transitions import BY_HAND, close

    if arguments.resolution not in BY_HAND:
        raise unknown("resolution", arguments.resolution, BY_HAND)
    reason = _reason(arguments)
    with parts.run_lock(str(folder.root)):
        log = log_of(folder)
        ids = known_ids(log.queries, arguments.ids)
        events, problems = close(
            log.queries, ids, arguments.resolution, reason, dt.datetime.now(dt.UTC)
        )
        _refuse(problems)
        log.append("close", events)
    text = f"{_count(events.height, 'query')} closed as {arguments.resolution}"
    _done(arguments, {"closed": events["query_id"].to_list()}, text)
    return 0


def _reopen(folder: StudyFolder, arguments: argparse.Namespace) -> int:
    from warehouse.queries.transitions import reopen

    reason = _reason(arguments)
    with parts.run_lock(str(folder.root)):
        log = log_of(folder)
        ids = known_ids(log.queries, arguments.ids)
        events, problems = reopen(log.queries, ids, reason, dt.datetime.now(dt.UTC))
        _refuse(problems)
        log.append("reopen", events)
    text = f"{_count(events.height, 'query')} open again; the next packet asks"
    _done(arguments, {"reopened": events["query_id"].to_list()}, text)
    return 0


def _show(folder: StudyFolder, arguments: argparse.Namespace) -> int:
    from flows.query_list import history_rows

    log = log_of(folder)
    (wanted,) = known_ids(log.queries, [arguments.id])
    header, rows, told = history_rows(log, wanted)
    if arguments.json:
        found = [dict(zip(header, row, strict=True)) for row in rows]
        print(json.dumps({"query": wanted, "answer": told, "events": found}, default=str))
        return 0
    from flows.commands import plain_table

    print(plain_table(header, rows))
    for name, text in told.items():
        if text is not None:
            print(f"{name}: {text}")
    return 0


def _reason(arguments: argparse.Namespace) -> str:
    reason = " ".join(arguments.reason.split())
    if not reason:
        raise StudyError("This needs a reason.", fix='give one: --reason "why"')
    return reason


def _refuse(problems: Sequence[str]) -> None:
    """Nothing is done by halves: one query in the wrong state, and all stay as they are."""
    if problems:
        most = 20
        more = [f"... and {len(problems) - most} more"] if len(problems) > most else []
        raise StudyError(
            "\n".join(["Nothing was changed:", *(f"  {p}" for p in problems[:most]), *more]),
            fix="leave these out; carmony queries STUDY list --state all shows every state",
        )


# send --------------------------------------------------------------------------------------------


def _send(folder: StudyFolder, arguments: argparse.Namespace) -> int:
    from flows.outcome import NO_ADDRESS, NOT_SENT, WRITTEN
    from flows.sending.delivery import deliver_all, waiting
    from flows.sending.packets import write_packets
    from flows.show import packet_messages

    root = str(folder.root)
    with parts.run_lock(root):
        asked = set(chosen(folder, arguments, ("open",))["center_id"].drop_nulls())
        if arguments.all:
            asked |= set(arguments.center or centers_of(folder))
        packets = {packet["center_id"]: packet for packet in write_packets(root, sorted(asked))}
        for brought in deliver_all(root, [w for w in waiting(root) if w["center_id"] in packets]):
            packets[brought["center_id"]] |= {
                "delivery": brought["state"],
                "delivery_message": brought["message"],
            }
    found = list(packets.values())
    lines = [
        f"{p['center_id']}: {_count(p['n_queries'], 'question')}, {p['n_new']} new: {p['packet']}"
        + (f" ({p['delivery']})" if p.get("delivery") else "")
        for p in found
        if p["state"] == WRITTEN
    ]
    if not found:
        lines = [_nothing_to_send(folder, arguments)]
    elif any(p.get("delivery") in (None, NO_ADDRESS) for p in found):
        lines.append("what is not delivered by 'notification' in study.yaml is yours to hand over")
    failed = any(NOT_SENT in (p["state"], p.get("delivery")) for p in found)
    if arguments.json:
        print(json.dumps({"packets": found}))
    else:
        print("\n".join(lines))
        for text in packet_messages(found):
            print(text, file=sys.stderr)
    return 1 if failed else 0


def _nothing_to_send(folder: StudyFolder, arguments: argparse.Namespace) -> str:
    waiting = chosen(folder, arguments, ("candidate",)).height
    if waiting:
        return (
            f"no open query; {_count(waiting, 'candidate')} wait for you: "
            f"carmony queries {arguments.study} release"
        )
    return "no open query: nothing to send"


# import ------------------------------------------------------------------------------------------


def _import(folder: StudyFolder, arguments: argparse.Namespace) -> int:
    from flows.sending.answers import take_answers

    files = [Path(name) for name in arguments.files]
    for file in files:
        if not file.is_file():
            raise StudyError(
                f"'{file}' is not there, or is no file.", fix="give the answered workbook"
            )
    with parts.run_lock(str(folder.root)):
        found = take_answers(str(folder.root), files or None)
    problems = [text for file in found for text in file["problems"]]
    lines = [*(file["message"] for file in found), *problems]
    taken = sum(file["n_answers"] for file in found)
    if not found:
        lines = ["no new file in answers/<center>/"]
    _done(arguments, {"files": found}, "\n".join(lines), changed=taken > 0)
    return 1 if problems else 0


# What the actions share --------------------------------------------------------------------------


def _count(n: int, what: str) -> str:
    many = what[:-1] + "ies" if what.endswith("y") else what + "s"
    return f"{n:,} {what if n == 1 else many}"


def _done(
    arguments: argparse.Namespace, content: dict[str, Any], text: str, *, changed: bool = True
) -> None:
    """Prints what was done, and that a run publishes it."""
    if arguments.json:
        print(json.dumps(content))
        return
    print(text)
    if changed and any(content.values()):
        print(f"carmony run {arguments.study} publishes the new state")
