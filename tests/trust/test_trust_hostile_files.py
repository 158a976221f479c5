"""Files that ask for too much, archives and specs that lead out, YAML that attacks, files that change."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from flows import pull
from flows.center import process_center, pull_center
from flows.folder import StudyFolder
from schemas.errors import CarmonyError, FileError, SpecError, StudyError
from schemas.spec import load_spec, load_study
from tests.flows import small_study
from tests.trust.test_trust_hostile_mutations import Reader
from transforms.read import open_tables

GOOD_SPEC = small_study.spec("AA01")


def bombs(full: bool) -> Iterator[tuple[str, bytes]]:
    """Small files that ask a reader for much memory, time or depth; larger ones in full mode."""
    many = 25 if full else 1
    yield "deep.jsonl", b'{"a":1}\n{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    yield "half.jsonl", b'{"a":"\\ud800"}\n{"a\\udfff":"x"}\n{"b":1}\n'
    yield "digits.jsonl", b'{"a":' + b"9" * 6_000 + b'}\n{"a":1}\n'
    yield "keys.jsonl", b"\n".join(b'{"k%d":1}' % at for at in range(20_000))
    yield "sparse.jsonl", b"\n".join(b'{"k":1,"k%d":1}' % (at % 4_990) for at in range(20_000))
    yield "row.jsonl", b'{"_row":1}\n'
    yield "bad.jsonl", b'{"a":1}\n' + b"x\n" * 200_000 * many
    yield "blank.csv", b"a;b\n" + b"\n" * 200_000 * many + b"1;2\n"
    yield "short.csv", b"a;b\n" + b"x\n" * 200_000 * many
    yield "long.csv", b"a;b\n" + b"x" * 800_000 * many + b";1\n"
    yield "marks.csv", b"a;b\n" + b";" * 400_000 * many + b"\n1;2\n"
    yield "open.csv", b'a;b\n"' + b"x\n" * 200_000 * many + b";1\n"
    yield "header.csv", b"a" * 400_000 * many + b";b\n1;2\n"
    same = pl.DataFrame({f"a{at}": pl.repeat("x" * 500, 150_000, eager=True) for at in range(8)})
    yield "same.parquet", _parquet(same)
    again = pl.DataFrame({"id": pl.repeat("P1", 3_000_000, eager=True)})
    yield "again.parquet", _parquet(again)
    yield "shared.xlsx", _one_part_for_all_sheets(2_000)
    nested = pl.DataFrame({"a": [["x" * 1000] * 60_000] * 2})
    yield "nested.parquet", _parquet(nested)
    yield "cut.parquet", _parquet(same)[:-900] + _parquet(same)[-8:]
    yield "packed.zip", _zip({"a.csv": b"a;b\n" + b"1;2\n" * 4_000_000})
    yield "packed.xlsx", _zip({"[Content_Types].xml": b"", "xl/workbook.xml": b" " * 50_000_000})
    yield "inner.zip", _zip({"inner.zip": _zip({"a.csv": b"a;b\n1;2\n"})})
    yield "many.zip", _zip({f"{at}.csv": b"" for at in range(3_000)})


def _parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _one_part_for_all_sheets(n: int) -> bytes:
    """A workbook whose sheets all lead to the same part: each costs a line in the list of sheets."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kinds = "http://schemas.openxmlformats.org/package/2006/relationships"
    sheets = "".join(f'<sheet name="s{at}" sheetId="{at + 1}" r:id="r"/>' for at in range(n))
    cells = "".join(f'<c r="A{row}" t="inlineStr"><is><t>a</t></is></c>' for row in (1,))
    rows = f'<row r="1">{cells}</row><row r="2"><c r="A2"><v>1</v></c></row>'
    link = f'<Relationships xmlns="{kinds}"><Relationship Id="r" Type="{office}/{{}}" Target="{{}}"/></Relationships>'
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": link.format("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": link.format("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    return _zip({name: text.encode() for name, text in parts.items()})


def test_sheets_of_one_part_and_rows_without_bytes_are_refused(tmp_path: Path) -> None:
    repeated = _parquet(pl.DataFrame({"id": pl.repeat("P1", 300_000, eager=True)}))
    cases = {"shared.xlsx": ("CORRUPT", _one_part_for_all_sheets(2)),
             "again.parquet": ("TOO_LARGE", repeated)}  # fmt: skip
    for name, (code, data) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FileError) as caught:
            open_tables(tmp_path / name)
        assert caught.value.code == code
    (tmp_path / "one.xlsx").write_bytes(_one_part_for_all_sheets(1))
    assert [table.info.sheet for table in open_tables(tmp_path / "one.xlsx")] == ["s0"]


def test_a_small_file_of_repeated_lines_costs_a_check_little(
    tmp_path: Path, figure: Callable[..., None]
) -> None:
    (tmp_path / "centers").mkdir()
    spec = tmp_path / "centers" / "AA01.yaml"
    spec.write_text(
        "center: {id: AA01, name: A, country: DE}\ndates: {order: ymd}\n"
        "sources: {p: {file: '*', patient_id: id}}\n"
        "tables:\n  - {table: subject, from: p, columns: {sex: sex, birth_year: birth_year}}\n",
        encoding="utf-8",
    )
    (tmp_path / "study.yaml").write_text(small_study.STUDY, encoding="utf-8")
    export = tmp_path / "2024-06-14.csv"
    # The square of 20,000 is more than any machine has room for; the file has 200 kB.
    export.write_text("id,sex,birth_year\n" + "P1,F,1950\n" * 20_000, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "check",
        str(export),
        "--spec",
        str(spec),
        "--json",
    ]
    measured = (
        "import json, resource, subprocess, sys\n"
        "def limits():\n"
        "    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True, preexec_fn=limits)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "findings = len(json.loads(done.stdout)['findings']) if done.stdout else 0\n"
        "print(json.dumps([done.returncode, findings, used.ru_utime + used.ru_stime, used.ru_maxrss]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", measured, *command], capture_output=True, text=True, check=True
    )
    code, findings, seconds, kilobytes = json.loads(done.stdout)
    assert (code, findings) == (1, 19_999)
    figure(
        "23",
        "a file of repeated lines: over 10 s or 1 GB",
        int(seconds > 10 or kilobytes > 1_000_000),
        1,
    )


def test_small_files_that_ask_for_too_much_are_refused_in_time(
    tmp_path: Path, tries: Callable[[int, int], int], figure: Callable[..., None]
) -> None:
    wrong, n = [], 0
    reader = Reader()
    for name, data in bombs(full=tries(0, 1) == 1):
        path = tmp_path / name
        path.write_bytes(data)
        told = reader.read(path)
        n += 1
        if told["fault"]:
            wrong.append((name, told))
    print(wrong)
    figure("5, 23, 24", "files that ask for too much: bugs, over 10 s, over 1 GB", len(wrong), n)


LEADS_OUT = ("../out.csv", "/tmp/out.csv", "a/../../out.csv", "..\\out.csv", "C:\\out.csv", "\\\\host\\out.csv",
             "./../out.csv", "C:/out.csv", "a/b/../../../out.csv")  # fmt: skip


def test_members_that_lead_out_of_an_archive_are_never_written(
    tmp_path: Path, figure: Callable[..., None]
) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    wrong = []
    for suffix in (".zip", ".xlsx", ".ods"):
        for name in LEADS_OUT:
            path = inside / f"export{suffix}"
            with zipfile.ZipFile(path, "w") as archive:
                parts = {
                    ".xlsx": ("[Content_Types].xml", "xl/workbook.xml"),
                    ".ods": ("mimetype", "content.xml"),
                }
                for part in parts.get(suffix, ("good.csv",)):
                    archive.writestr(part, "a;b\n1;2\n")
                info = zipfile.ZipInfo("x")
                info.filename = name
                archive.writestr(info, "a;b\n1;2\n")
            try:
                open_tables(path)
                wrong.append((suffix, name, "opened"))
            except FileError as error:
                if error.code != "CORRUPT":
                    wrong.append((suffix, name, error.code))
            path.unlink()
    if made := set(tmp_path.rglob("*")) - before:
        wrong.append(("made", str(made), ""))
    print(wrong)
    figure("51", "members that lead out of a zip or workbook", len(wrong), 3 * len(LEADS_OUT))


FLOOD = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [
    f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 9)
]
YAMLS = {
    "laughs": "\n".join(FLOOD),
    "flow": "a: " + "[" * 100_000 + "]" * 100_000,
    "mappings": "a: " + "{a: " * 50_000 + "}" * 50_000,
    "block": "".join(" " * at + "a:\n" for at in range(2_000)),
    "dashes": "- " * 20_000 + "a",
    "itself": "a: &a [*a]\n",
    "merges itself": "a: &a {<<: *a}\n",
    "merges text": GOOD_SPEC + "facts: {<<: text}\n",
    "merges list": GOOD_SPEC + "facts: {<<: [a, b]}\n",
    "python": GOOD_SPEC + "facts: !!python/object/apply:os.system ['touch PWNED']\n",
    "module": GOOD_SPEC + "facts: {a: !!python/name:os.system x}\n",
    "own tag": GOOD_SPEC + "facts: {a: !include /etc/passwd}\n",
    "binary": GOOD_SPEC + "facts: {a: !!binary aGVsbG8=}\n",
    "escape": GOOD_SPEC + 'facts: {"a\\e[31m": b}\n',
    "line": GOOD_SPEC + 'facts: {"a\\r": b}\n',
    "bidi": GOOD_SPEC + "facts: {a: \u202eb}\n",
    "nul": GOOD_SPEC + "# \0\n",
    "large": GOOD_SPEC + "# " + "x" * 20_000_000,
    "wide": GOOD_SPEC + "facts: {" + ", ".join(f"k{at}: v" for at in range(300_000)) + "}\n",
    "two": GOOD_SPEC + "---\na: 1\n",
    "list": "- a\n",
    "text": "a",
    "file up": GOOD_SPEC.replace("file: subject.csv", "file: ../../BB02/2024-06-14/subject.csv"),
    "file absolute": GOOD_SPEC.replace("file: subject.csv", "file: /etc/passwd"),
    "file home": GOOD_SPEC.replace("file: subject.csv", "file: ~/x.csv"),
    "file windows": GOOD_SPEC.replace("file: subject.csv", "file: 'C:\\x.csv'"),
    "dictionary": GOOD_SPEC.replace("file: subject.csv", "file: subject.csv, dictionary: /etc/passwd"),
    "fix up": GOOD_SPEC + "fix: ../evil.py\n",
    "fix absolute": GOOD_SPEC + "fix: EVIL\n",
    "fix link": GOOD_SPEC + "fix: link.py\n",
    "center": GOOD_SPEC.replace("id: AA01", "id: ../AA01"),
}  # fmt: skip


def answer(load: Callable[[], object], kind: type[CarmonyError]) -> str:
    """Empty if a file is refused in time with one message; else what happened."""
    started = time.monotonic()
    try:
        load()
    except kind as error:
        unseen = any(ord(c) < 32 and c != "\n" or c == "\u202e" for c in str(error))
        slow = time.monotonic() - started > 10
        return "unseen characters in the message" if unseen else "slow" if slow else ""
    except BaseException as error:
        return f"{type(error).__name__}"
    return "accepted"


def test_specs_and_study_files_that_attack_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[..., None]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "study" / "centers"
    folder.mkdir(parents=True)
    evil = tmp_path / "study" / "evil.py"
    evil.write_text("raise SystemExit('run')", encoding="utf-8")
    (folder / "link.py").symlink_to(evil)
    spec, study = folder / "AA01.yaml", tmp_path / "study" / "study.yaml"
    spec.write_text(GOOD_SPEC, encoding="utf-8")
    assert answer(lambda: load_spec(spec), SpecError) == "accepted"  # the control
    wrong = {}
    for name, text in YAMLS.items():
        spec.write_text(text.replace("EVIL", str(evil)), encoding="utf-8")
        if told := answer(lambda: load_spec(spec), SpecError):
            wrong[name] = told
    for name in ("laughs", "flow", "mappings", "dashes", "itself", "python"):
        study.write_text(YAMLS[name], encoding="utf-8")
        if told := answer(lambda: load_study(study.parent), StudyError):
            wrong[f"study {name}"] = told
    plan = "id: X\ntitle: X\ndata_cut: 2024-06-30\nanalysis: {}\n"
    for leads in ("../plan.yaml", str(evil), "sub/../../plan.yaml"):
        study.write_text(plan.format(leads), encoding="utf-8")
        if told := answer(lambda: load_study(study.parent), StudyError):
            wrong[f"analysis {leads}"] = told
    assert not (tmp_path / "PWNED").exists()
    print(wrong)
    figure(
        "23, 24, 51, 54",
        "specs and study files that attack: accepted, a bug, or over 10 s",
        len(wrong),
        len(YAMLS) + 9,
    )


def test_random_specs_end_in_a_spec_or_a_message(
    tmp_path: Path, tries: Callable[[int, int], int], figure: Callable[..., None]
) -> None:
    chance = random.Random(8)
    path = tmp_path / "AA01.yaml"
    marks = ("{", "[", "&a ", "*a", "!!x ", "? ", "- ", ": ", "\n", "\t", "#", "|\n", ">\n", "%", "'", '"',
             "<<: ", "\x85", "\ufeff", "---\n", "null", "~", "\\", "@", "`")  # fmt: skip
    wrong = []
    n = tries(150, 3000)
    for _ in range(n):
        text = GOOD_SPEC
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(text))
            cut = at + chance.choice((0, 0, 1, 12))
            text = text[:at] + chance.choice(marks) + text[cut:]
        path.write_text(text, encoding="utf-8", newline="")
        told = answer(lambda: load_spec(path), SpecError)
        if told not in ("", "accepted"):
            wrong.append((told, text))
    print(wrong[:2])
    figure("23, 24", "specs with random damage: neither a spec nor a message", len(wrong), n)


SENDER = """
import sys
with open(sys.argv[1], "ab", buffering=0) as file:
    while True:
        file.write(b"P000002,M,1951\\n")
"""


def test_a_delivery_that_is_still_being_written_is_never_taken_in_part(
    tmp_path: Path, tries: Callable[[int, int], int], figure: Callable[..., None]
) -> None:
    folder = StudyFolder(small_study.make_study(tmp_path / "study", ("AA01",)))
    n = tries(6, 50)
    wrong, waited = [], 0
    for at in range(n):
        entry = folder.inbox / "AA01" / f"2024-0{1 + at // 25}-{1 + at % 25:02}"
        entry.mkdir()
        path = entry / "subject.csv"
        path.write_bytes(b"P000001,F,1950\n" * 20_000)
        writer = subprocess.Popen([sys.executable, "-c", SENDER, str(path)])
        while path.stat().st_size == 20_000 * 15:
            time.sleep(0.001)
        pulled = pull.pull_center(folder, "AA01")
        writer.kill()
        writer.wait()
        taken = [one for one in pulled.deliveries if one.received_on.isoformat() == entry.name]
        waited += any(p.entry == entry.name and p.code == "CHANGING" for p in pulled.problems)
        if taken and (taken[0].path / "subject.csv").read_bytes() != path.read_bytes():
            wrong.append(entry.name)
        whole = [
            d
            for d in pull.pull_center(folder, "AA01").deliveries
            if d.received_on.isoformat() == entry.name
        ]
        if not whole or (whole[0].path / "subject.csv").read_bytes() != path.read_bytes():
            wrong.append(f"{entry.name} afterwards")
    assert waited > n / 2, waited  # the sender did write meanwhile
    figure("21", "deliveries that grow while they are taken: a part was taken", len(wrong), n)


def test_a_file_that_becomes_a_link_or_pipe_while_it_is_taken_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[..., None]
) -> None:
    secret = tmp_path / "key"
    secret.write_text("secret", encoding="utf-8")
    copy, wrong = pull._copy, []

    def swap(make: Callable[[Path], None]) -> Callable[[Path, Path], None]:
        def swapped(entry: Path, target: Path) -> None:
            victim = entry / "subject.csv"
            victim.unlink()
            make(victim)
            copy(entry, target)

        return swapped

    changes: list[Callable[[Path], None]] = [lambda at: at.symlink_to(secret), os.mkfifo]
    for at, make in enumerate(changes):
        folder = StudyFolder(small_study.make_study(tmp_path / f"study{at}", ()))
        small_study.deliver(folder.root, "AA01", "2024-05-01")
        monkeypatch.setattr(pull, "_copy", swap(make))
        (problem,) = pull.pull_center(folder, "AA01").problems
        monkeypatch.undo()
        if problem.code != "WRONG_TYPE":
            wrong.append(problem.code)
        files = [path for path in folder.vault.rglob("*") if path.is_file()]
        wrong += [path.name for path in files if b"secret" in path.read_bytes()]
    figure(
        "51",
        "files that become a link or pipe while they are taken",
        len(wrong),
        len(changes),
    )


def shrunk(root: Path, day: str, share: float, header: bool = True) -> Path:
    """A delivery of AA01 in which each file keeps a share of its lines."""
    folder = small_study.deliver(root, "AA01", day, patients=40)
    for path in folder.iterdir():
        first, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = lines[: round(len(lines) * share)]
        path.write_text("".join([first, *kept]) if header else "", encoding="utf-8")
    return folder


def test_empty_and_shrunken_exports_never_replace_what_was_loaded(
    tmp_path: Path, figure: Callable[..., None]
) -> None:
    wrong = []
    cases = [
        ("empty", 0.0, False),
        ("header", 0.0, True),
        ("half", 0.5, True),
        ("most", 0.75, True),
    ]
    for name, share, header in cases:
        root = small_study.make_study(tmp_path / name, ())
        (root / "centers" / "AA01.yaml").write_text(GOOD_SPEC, encoding="utf-8")
        shrunk(root, "2024-06-01", 1.0)
        shrunk(root, "2024-06-08", share, header)
        first, second = process_center(str(root), pull_center(str(root), "AA01", None), False)
        if first["state"] != "loaded" or second["state"] not in ("held", "failed"):
            wrong.append((name, first["state"], second["state"], second["code"]))
    root = small_study.make_study(tmp_path / "control", ())
    (root / "centers" / "AA01.yaml").write_text(GOOD_SPEC, encoding="utf-8")
    shrunk(root, "2024-06-01", 1.0)
    shrunk(root, "2024-06-08", 0.95)
    told = process_center(str(root), pull_center(str(root), "AA01", None), False)
    assert [one["state"] for one in told] == ["loaded", "loaded"]  # two of forty may have withdrawn
    print(wrong)
    figure(
        "8", "empty, header-only and shrunken exports taken without a yes", len(wrong), len(cases)
    )
