"""The arguments of `carmony queries` and of a report on tables; imports nothing heavy, as `--help` has to answer at once."""

from __future__ import annotations

import argparse

_STATE_HELP = (
    "candidate, open, answered, closed, cancelled, resolved or all; default: the first three, which "
    "are not settled"
)
_AS_HELP = "confirmed_correct, not_available or duplicate"


def add_tables(report: argparse.ArgumentParser) -> None:
    """Adds what `carmony report` takes where it has no study."""
    report.add_argument("--adsl", metavar="FILE", help="CSV, Parquet or XPT; a row per patient")
    report.add_argument(
        "--adtte", metavar="FILE", help="CSV, Parquet or XPT; a row per patient and endpoint"
    )
    report.add_argument("--plan", metavar="PLAN", help="a YAML file, or the name of a shipped plan")
    report.add_argument("--out", metavar="DIR", help="where to write; default: report")
    report.add_argument(
        "--first-day",
        type=int,
        choices=(0, 1),
        help="AVAL in days on the day on which the clock starts; default: as the dates tell, else 1",
    )


def add_actions(queries: argparse.ArgumentParser) -> None:
    """Adds the actions to the parser of `carmony queries`."""
    actions = queries.add_subparsers(dest="action", metavar="ACTION", required=False)
    queries.set_defaults(action="list", center=[], state=[], rule=[], severity=[])

    listing = _action(actions, "list", "show queries; done if no action is named", "--state open")
    _several(listing, "--state", "S", _STATE_HELP)
    release = _action(
        actions, "release", "let the center be asked: candidates become open", "--rule DAT-05"
    )
    release.add_argument("ids", nargs="*", default=[], metavar="ID", help="queries, as list shows")
    release.add_argument("--all", action="store_true", help="all candidates")
    send = _action(
        actions, "send", "write a packet for each center with open queries", "--center DE01"
    )
    send.add_argument("--all", action="store_true", help="also for centers without open queries")
    take = _action(actions, "import", "take in answered workbooks", "answers/DE01/queries.xlsx")
    take.add_argument(
        "files", nargs="*", default=[], metavar="FILE", help="default: what is new in answers/"
    )
    close = _action(
        actions, "close", "settle queries by hand", "Q-7M2K9XQ4 --as duplicate --reason X"
    )
    close.add_argument("ids", nargs="+", metavar="ID", help="queries, as list shows")
    close.add_argument(
        "--as", dest="resolution", required=True, metavar="RESOLUTION", help=_AS_HELP
    )
    close.add_argument("--reason", required=True, metavar="TEXT", help="why; without patient data")
    again = _action(
        actions, "reopen", "ask closed queries again", "Q-7M2K9XQ4 --reason 'closed in error'"
    )
    again.add_argument("ids", nargs="+", metavar="ID", help="queries, as list shows")
    again.add_argument("--reason", required=True, metavar="TEXT", help="why; without patient data")
    show = _action(
        actions, "show", "what happened to a query, and what the center wrote", "Q-7M2K9XQ4"
    )
    show.add_argument("id", metavar="ID", help="a query, as list shows")
    for parser in (listing, release, send):
        _several(parser, "--center", "C", "only of this center; may be repeated")
    for parser in (listing, release):
        _several(parser, "--rule", "R", "only of this rule; may be repeated")
    _several(listing, "--severity", "S", "error or warning")


def _several(parser: argparse.ArgumentParser, option: str, metavar: str, text: str) -> None:
    """An option that may be repeated; where it is not given, the empty list of `queries` stands."""
    parser.add_argument(
        option, action="append", default=argparse.SUPPRESS, metavar=metavar, help=text
    )


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    example: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  carmony queries my-study {name} {example}".rstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # Given before or after the action, they mean the same.
    for option, text in (
        ("--json", "machine output on standard output"),
        ("--debug", "show the traceback of a failure"),
    ):
        parser.add_argument(option, action="store_true", default=argparse.SUPPRESS, help=text)
    return parser


def _add_history(history: argparse.ArgumentParser) -> None:
    history.add_argument(
        "--verify", action="store_true", help="look for changed, removed or moved entries"
    )
    history.add_argument(
        "--rebuild", type=int, metavar="LOAD", help="build the state of this load again"
    )
    history.add_argument("--out", metavar="FILE", help="where to put it; default: in the vault")


def _add_forget(forget: argparse.ArgumentParser) -> None:
    forget.add_argument("center", metavar="CENTER", help="the center")
    forget.add_argument(
        "patient", metavar="ID", help="the center's own id of the patient; '-' reads it from input"
    )
    forget.add_argument(
        "--delete-deliveries",
        action="store_true",
        help="also delete the delivered files that hold the patient, in the vault and the inbox",
    )
    forget.add_argument(
        "--in-advance",
        action="store_true",
        help="also enter an id that nothing of the study holds: its rows are left out when they come",
    )
    forget.add_argument(
        "--another-patient",
        action="store_true",
        help="the id is not that of the withdrawn patient whom it looks like: its held rows are read again",
    )


# Commands of modules of their own name, with a function of that name: summary, example, arguments.
STUDY_COMMANDS = {
    "history": (
        "the loads of a study; whether its audit trail is whole; a published state built again",
        "carmony history my-study --verify",
        _add_history,
    ),
    "forget": (
        "remove a patient who has withdrawn, from the vault, the warehouse and its history",
        "carmony forget my-study DE01 -    # the id is read from standard input",
        _add_forget,
    ),
}
