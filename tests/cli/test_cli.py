from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows import cli
from flows.cli import build_parser, main

COMMANDS = ("init", "demo", "run", "serve", "queries", "sql", "check")
HEAVY = (
    "polars",
    "duckdb",
    "pandas",
    "numpy",
    "pydantic",
    "yaml",
    "rich",
    "prefect",
    "great_expectations",
    "lifelines",
    "pandera",
    "pyarrow",
    "asyncssh",
)


def carmony(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def test_help_answers_within_0_3_cpu_seconds() -> None:
    before = os.times()
    done = carmony("--help")
    after = os.times()
    spent = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )

    assert done.returncode == 0
    assert spent <= 0.3
    for command in COMMANDS:
        assert command in done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from flows import cli; cli.build_parser().format_help();"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_shows_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"example:\n  carmony {command} " in text
    assert "--json" in text
    assert "--debug" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_the_help_are_valid_commands(command: str) -> None:
    parser = build_parser()
    chosen = parser._subparsers._group_actions[0].choices[command]  # type: ignore[union-attr]
    import shlex

    words = shlex.split(chosen.epilog.partition("carmony ")[2])

    assert parser.parse_args(words).command == command


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "s", "--until", "30.06.2024"],
        ["demo", "s", "--patients", "0"],
        ["demo", "s", "--patients", "many"],
        ["sql", "s"],
        ["check", "f"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: carmony" in capsys.readouterr().err


def test_init_makes_an_empty_study_that_run_understands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study"

    assert main(["init", str(study)]) == 0
    assert (study / "vault").stat().st_mode & 0o077 == 0
    assert {p.name for p in study.iterdir()} == {
        "study.yaml",
        "centers",
        "inbox",
        "answers",
        "vault",
        "published",
    }
    capsys.readouterr()
    assert main(["run", str(study)]) == 0
    shown = capsys.readouterr()
    assert "no delivery has come yet" in shown.err
    assert shown.out == "no delivery yet\n"
    assert not (study / "vault" / "log" / "loads.jsonl").exists()


def test_init_does_not_touch_a_folder_that_holds_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")

    assert main(["init", str(tmp_path)]) == 2
    assert main(["demo", str(tmp_path)]) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    assert "not empty" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["run"], ["serve"], ["sql", "select 1"]])
def test_a_folder_that_is_no_study_gives_one_message_and_2(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [command[0], str(tmp_path), *command[1:]]

    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("carmony: ")
    assert "Fix:" in error
    assert "Traceback" not in error


def test_a_typing_error_in_study_yaml_names_line_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", str(tmp_path / "s")])
    (tmp_path / "s" / "study.yaml").write_text(
        "id: SMALL\ntitel: A study\ndata_cut: 2024-06-30\n", encoding="utf-8"
    )

    assert main(["run", str(tmp_path / "s")]) == 2
    error = capsys.readouterr().err
    assert "study.yaml, line 2" in error
    assert "'title'" in error


def test_a_center_that_the_study_does_not_have_is_named_with_those_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", str(tmp_path / "s")])
    (tmp_path / "s" / "inbox" / "DE01").mkdir()

    assert main(["run", str(tmp_path / "s"), "--center", "DE1"]) == 2
    error = capsys.readouterr().err
    assert "'DE1'" in error
    assert "DE01" in error


def test_a_failure_with_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path), "--json"]) == 2
    content = json.loads(capsys.readouterr().out)

    assert content["exit_code"] == 2
    assert "study.yaml" in content["message"]


def test_a_bug_ends_with_70_and_its_log_holds_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", str(tmp_path / "s")])

    def broken(arguments: object) -> int:
        try:
            raise KeyError("Erika Canary")
        except KeyError as error:
            raise ValueError("born 1931-03-07") from error

    monkeypatch.setattr(cli, "_dispatch", broken)
    assert main(["run", str(tmp_path / "s")]) == 70
    error = capsys.readouterr().err
    (log,) = (tmp_path / "s" / "vault" / "log").glob("bug-*.txt")
    text = log.read_text()

    assert len(error.splitlines()) == 1
    assert str(log) in error
    assert "builtins.ValueError" in text
    assert "builtins.KeyError" in text
    assert "in broken" in text
    for canary in ("Canary", "1931"):
        assert canary not in text + error
    assert log.stat().st_mode & 0o077 == 0


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = carmony("run", str(tmp_path), "--debug")

    assert "Traceback" in done.stderr
    assert "StudyError" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_4_and_leaves_no_child(
    tmp_path: Path, number: signal.Signals
) -> None:
    main(["init", str(tmp_path / "s")])
    lock = tmp_path / "s" / "vault" / ".lock"
    code = (
        "import sys, time; from flows import cli, stages\n"
        "def slow(*a):\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "stages.is_published = slow\n"
        "sys.exit(cli.main(['run', sys.argv[1]]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "s")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 4
    assert errors.splitlines()[-1].startswith("carmony: interrupted")
    assert "Traceback" not in errors
    assert lock.is_file()
    assert main(["run", str(tmp_path / "s")]) == 0, "the lock is free again"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder with a published warehouse, made by hand."""
    import duckdb

    study = tmp_path_factory.mktemp("published")
    (study / "study.yaml").write_text("id: SMALL\ntitle: t\ndata_cut: 2024-01-01\n", "utf-8")
    (study / "published").mkdir()
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"))
    con.execute("create schema meta")
    con.execute("create table meta.run as select 3 as load_id")
    con.execute("create table patients as select * from (values ('a', 1.5), (null, 20)) t(code, n)")
    con.close()
    return study


def test_sql_prints_a_table(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", str(published), "select code, n from patients order by n"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "code     n",
        "----  ----",
        "a      1.5",
        "      20.0",
        "(2 rows)",
    ]


def test_sql_prints_csv(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["sql", str(published), "select code, n from patients order by n", "--format", "csv"])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))

    assert rows == [["code", "n"], ["a", "1.5"], ["", "20.0"]]


def test_sql_prints_json(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["sql", str(published), "select code, n from patients order by n", "--format", "json"])

    assert json.loads(capsys.readouterr().out) == [
        {"code": "a", "n": 1.5},
        {"code": None, "n": 20.0},
    ]


def test_sql_as_json_keeps_columns_of_the_same_name(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sql", str(published), "select 1 as n, 2 as n, date '2024-02-01' as d", "--json"])

    assert json.loads(capsys.readouterr().out) == [{"n": 1, "n_2": 2, "d": "2024-02-01"}]


def test_sql_prints_control_characters_harmlessly(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sql", str(published), "select chr(27) || '[31mred' as x"])

    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "statement",
    ["drop table patients", "copy patients to 'x.csv'", "select 1; select 2", "selct 1", ""],
)
def test_sql_that_does_not_read_or_is_wrong_ends_with_2_and_one_message(
    published: Path, statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql", str(published), statement]) == 2
    error = capsys.readouterr().err
    assert error.startswith("carmony: ")
    assert "Traceback" not in error


def test_sql_into_a_pipe_that_closes_early_says_nothing(published: Path) -> None:
    statement = "select range from range(1000000)"
    command = f'{sys.executable} -m flows.cli sql {published} "{statement}" | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "range"
    assert done.stderr == ""


def test_json_of_sql_is_valid_where_a_number_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import results

    statement = (
        "select 'nan'::double as a, ['inf'::double, 1.5] as b, {'x': '-inf'::float} as c, "
        "2.50::decimal(4, 2) as d, date '2024-06-14' as e, true as f, null as g, 7 as h"
    )

    def ask(root: Path, text: str, as_of: int | None) -> tuple[list[str], list[tuple[object, ...]]]:
        import duckdb

        cursor = duckdb.connect().execute(text)
        return [entry[0] for entry in cursor.description], cursor.fetchall()

    monkeypatch.setattr(results, "query", ask)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert main(["sql", str(tmp_path), statement, "--format", "json"]) == 0
    (record,) = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert record == {
        "a": None,
        "b": [None, 1.5],
        "c": {"x": None},
        "d": 2.5,
        "e": "2024-06-14",
        "f": True,
        "g": None,
        "h": 7,
    }
