"""The command line `carmony`.

Nothing heavy is imported here: `carmony --help` has to answer at once. Each command imports what it
needs (`flows.commands`).
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from flows.arguments import STUDY_COMMANDS, add_actions, add_tables
from flows.panics import no_core_dumps, no_panics

USAGE_ERROR, INTERRUPTED, BUG = 2, 4, 70

_EXIT_CODES = """\
exit codes:
  0   done; for run: published (or nothing new), all centers fine
  1   published, but some center failed; for check: errors were found; for queries: an answer could
      not be taken, or a packet was not written or not delivered
  2   wrong usage, study or spec; a folder that cannot be written, a full disk
  3   the audit stopped the publishing; what was published before stays
  4   interrupted; what was published before stays
  70  a bug in carmony
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="carmony",
        description="One trusted warehouse and one report from the files that hospitals send.",
        epilog="example:\n  carmony demo build/demo-study && carmony run build/demo-study\n\n"
        + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    _command(commands, "init", "make an empty study folder", "carmony init my-study")

    demo = _command(
        commands,
        "demo",
        "write a complete synthetic study",
        "carmony demo build/demo-study --patients 500 --seed 7",
    )
    demo.add_argument("--patients", type=_positive, default=139, metavar="N", help="default: 139")
    demo.add_argument("--seed", type=int, default=2024, metavar="S", help="default: 2024")

    run = _command(
        commands,
        "run",
        "take in new deliveries, publish the warehouse and the report",
        "carmony run my-study --center DE01 --until 2024-06-30",
    )
    run.add_argument(
        "--center", action="append", default=[], metavar="C", help="only this one; may be repeated"
    )
    run.add_argument("--until", type=_date, metavar="DATE", help="leave later deliveries alone")
    run.add_argument("--no-report", action="store_true", help="publish without a new report")
    run.add_argument(
        "--accept-fewer",
        action="append",
        default=[],
        metavar="C",
        help="take a delivery of this center although many patients are missing in it",
    )

    serve = _command(
        commands,
        "serve",
        "run the study on a schedule, with a web page on this machine",
        "carmony serve my-study --port 4200",
    )
    serve.add_argument("--port", type=_positive, default=4200, metavar="P", help="default: 4200")
    serve.add_argument(
        "--deployments", metavar="FILE", help="schedules other than those of prefect.yaml"
    )

    queries = _command(
        commands,
        "queries",
        "the questions to the centers: look, release, send, take answers in, close",
        "carmony queries my-study release --center DE01",
    )
    add_actions(queries)

    report = _command(
        commands,
        "report",
        "write the report again, or one on ADaM tables that were made elsewhere",
        "carmony report my-study\n"
        "  carmony report --adsl adsl.xpt --adtte adtte.xpt --plan my-plan.yaml --out my-report",
        argument=("study", "STUDY", "the study folder, if the report is of a study"),
        optional=True,
    )
    add_tables(report)
    report.add_argument(
        "--external",
        action="store_true",
        help="for readers outside: small counts withheld, into published/report-external",
    )
    report.add_argument(
        "--threshold",
        type=int,
        metavar="N",
        help="with --external: counts from 1 up to below N are withheld; default: the plan's, else 5",
    )
    report.add_argument(
        "--another-threshold",
        action="store_true",
        help="with --external: the report of the same state under another threshold has not left",
    )
    report.add_argument(
        "--another-release",
        action="store_true",
        help="with --external: the report of a state with nearly the same patients has not left",
    )

    sql = _command(
        commands,
        "sql",
        "ask the published warehouse, read-only",
        'carmony sql my-study "select grp4, count(*) from analysis.adsl group by all"',
    )
    sql.add_argument("statement", metavar="SELECT", help="one SQL statement that reads")
    sql.add_argument("--as-of", type=int, metavar="LOAD", help="the state after this load")
    sql.add_argument(
        "--format", choices=("table", "csv", "json"), default="table", help="default: table"
    )

    for name, (summary, example, add) in STUDY_COMMANDS.items():
        add(_command(commands, name, summary, example))

    check = _command(
        commands,
        "check",
        "check a file before it is sent; nothing is stored",
        "carmony check export.xlsx --spec my-study/centers/DE01.yaml",
        argument=("file", "FILE", "the file or folder that would be sent"),
    )
    check.add_argument("--spec", required=True, metavar="SPEC", help="the spec of the center")
    check.add_argument(
        "--received",
        type=_date,
        metavar="DATE",
        help="the day on which it is sent; default: the date in the name of the file or its folder, "
        "else today",
    )
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    example: str,
    argument: tuple[str, str, str] = ("study", "STUDY", "the study folder"),
    optional: bool = False,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    dest, shown, text = argument
    parser.add_argument(dest, metavar=shown, help=text, nargs="?" if optional else None)
    parser.add_argument("--json", action="store_true", help="machine output on standard output")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a number of at least 1")
    return number


def _date(text: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no date; write it as 2024-06-30") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code of the contract above."""
    arguments = build_parser().parse_args(argv)
    no_core_dumps()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with no_panics():
            code = _dispatch(arguments)
        _note(arguments, code)
        sys.stdout.flush()  # a full disk or closed pipe is met here, not at the end of the process
        return code
    except KeyboardInterrupt:
        return _interrupted(arguments)
    except BrokenPipeError:
        _drop_output()  # the reader of our output has gone (`| head`): no complaint
        return 0
    except Exception as error:
        from flows.faults import was_interrupted

        if was_interrupted(error):
            return _interrupted(arguments)
        if arguments.debug:
            raise
        code = _failed(_output_fault(error) or error, arguments)
        _note(arguments, code, "failed")
        return code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _dispatch(arguments: argparse.Namespace) -> int:
    if arguments.command in {"run", "serve"}:
        from flows import run_commands

        return (
            run_commands.run(arguments)
            if arguments.command == "run"
            else run_commands.serve(arguments)
        )
    if arguments.command == "queries":
        from flows import query_commands

        return query_commands.queries(arguments)
    if arguments.command == "report":
        from flows import report_command

        return report_command.report(arguments)
    if arguments.command in STUDY_COMMANDS:
        module = importlib.import_module(f"flows.{arguments.command}")
        done: int = getattr(module, arguments.command)(arguments)
        return done
    from flows import commands

    command = {
        "init": commands.init,
        "demo": commands.demo,
        "sql": commands.sql,
        "check": commands.check,
    }[arguments.command]
    return command(arguments)


def _note(arguments: argparse.Namespace, code: int, what: str = "done") -> None:
    """The entry of the audit trail of a command that changes a study."""
    if arguments.command in {"run", "queries", "report", "forget"}:
        from flows.trail_run import note_command

        note_command(arguments, code, what)


def _interrupted(arguments: argparse.Namespace) -> int:
    # A second signal while children end would tear the last message apart.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    again = "; give the same command again, or 'carmony run': it goes on"
    _say(
        "interrupted; what was published before stays as it was"
        + (again if arguments.command == "forget" else "")
    )
    _note(arguments, INTERRUPTED, "interrupted")
    return INTERRUPTED


def _output_fault(error: Exception) -> Exception | None:
    """The message if standard output takes no more; what could not be written is dropped then.

    Only the modules of the commands write to it, and they write to nothing else themselves.
    """
    from pathlib import Path

    from flows.disk_full import is_disk_full, output_full

    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    writer = Path(trace.tb_frame.f_code.co_filename).name if trace else ""
    if writer not in {
        "cli.py",
        "commands.py",
        "run_commands.py",
        "report_command.py",
        "query_commands.py",
        "history.py",
        "forget.py",
    } or not is_disk_full(error):
        return None
    _drop_output()
    return output_full()


def _drop_output() -> None:
    """Nothing more is written to standard output, not even at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error: Exception, arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from flows.faults import study_fault
    from schemas.errors import CarmonyError

    study = getattr(arguments, "study", None)
    if not isinstance(error, CarmonyError):
        error = study_fault(error, Path(study) if study else None) or error
    if isinstance(error, CarmonyError):
        _say(str(error))
        code = error.exit_code
    else:
        from flows.bug_log import write_bug_log

        place = write_bug_log(error, study)
        _say(f"a bug in carmony ({type(error).__name__}); please send this file: {place}")
        code = BUG
    if arguments.json:
        import json

        message = str(error) if isinstance(error, CarmonyError) else type(error).__name__
        print(json.dumps({"state": "failed", "message": message, "exit_code": code}))
    return code


def _say(text: str) -> None:
    print(f"carmony: {text}", file=sys.stderr)


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
