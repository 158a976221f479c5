"""Random bytes and damaged real files of every kind, read in a process of its own."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trust.seeds import make_seeds, mutant

ROOT = Path(__file__).parents[2]
SECONDS, KILOBYTES = 10, 1_000_000


class Reader:
    """The process that reads; a new one after each that died or had to be ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = os.memfd_create("errors")

    def read(self, path: Path) -> dict[str, Any]:
        """How it ended, with `fault` if it must not end so."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(os.fsencode(path).hex().encode() + b"\n")
        process.stdin.flush()
        # The limit is of processor time: of a busy machine a file can do nothing.
        if not select.select([process.stdout], [], [], 4 * SECONDS)[0]:
            self.stop()
            return {"code": "hang", "fault": f"no answer in {4 * SECONDS} s"}
        line = process.stdout.readline()
        if not line:
            process.wait()
            return {"code": "dead", "fault": f"the process died ({process.returncode})"}
        told: dict[str, Any] = json.loads(line)
        if printed := os.pread(self._errors, 10_000, 0):  # a library that prints its own stack
            told["fault"] = told["fault"] or printed[:200].decode("utf-8", "replace")
            os.ftruncate(self._errors, 0)
            os.lseek(self._errors, 0, os.SEEK_SET)
        if not told["fault"] and told["seconds"] > SECONDS:
            told["fault"] = f"{told['seconds']:.0f} s"
        if told["kilobytes"] > KILOBYTES:
            told["fault"] = told["fault"] or f"{told['kilobytes']:,} kB"
            self.stop()  # the peak would be told of every later file
        return told

    def stop(self) -> None:
        """Ends the process, and the parser it started by closing its pipes."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.trust.hostile_reader"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, cwd=ROOT,
            )  # fmt: skip
        return self._process


@pytest.fixture(scope="module")
def reader() -> Any:
    """A reader that is ended with the tests."""
    reader = Reader()
    yield reader
    reader.stop()


def test_damaged_files_of_every_kind_end_in_a_table_or_a_reason(
    reader: Reader,
    tmp_path: Path,
    tries: Callable[[int, int], int],
    figure: Callable[..., None],
) -> None:
    (tmp_path / "seeds").mkdir()
    seeds = make_seeds(tmp_path / "seeds")
    for suffix, data in seeds.items():  # the seeds themselves are read
        path = tmp_path / f"whole{suffix}"
        path.write_bytes(data)
        told = reader.read(path)
        assert (told["code"], told["fault"]) == ("table", ""), suffix
        assert told["rows"] > 1
    chance = random.Random(int(os.environ.get("CARMONY_TRUST_SEED", "6")))
    kinds = list(seeds)
    codes: Counter[str] = Counter()
    faults = []
    n = tries(len(kinds) * 14, 10_000)
    for at in range(n):
        suffix = kinds[at % len(kinds)]
        path = tmp_path / f"mutant{suffix}"
        path.write_bytes(mutant(suffix, seeds, chance))
        told = reader.read(path)
        codes[told["code"]] += 1
        if told["fault"]:
            kept = Path(os.environ.get("CARMONY_TRUST_KEEP", tmp_path)) / f"fault{at}{suffix}"
            kept.write_bytes(path.read_bytes())
            faults.append((kept.name, told["code"], told["fault"]))
    for fault in faults:
        print(*fault)
    assert codes["table"] > n / 20, codes  # not everything was refused at the door
    assert codes["CORRUPT"] > n / 20, codes
    figure(
        "5, 23, 24, 30",
        "damaged files of every kind: bugs, deaths, hangs over 10 s, over 1 GB",
        len(faults),
        n,
    )


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ("die", "died (17)"),
        ("raise", "RuntimeError"),
        ("grow", "kB"),
        ("mute", "without advice"),
        ("print", "panicked"),
        ("hang", "no answer"),
    ],
)
def test_the_campaign_sees_a_reader_that_is_at_fault(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str, told: str
) -> None:
    if planted == "hang":
        monkeypatch.setattr(f"{__name__}.SECONDS", 0.5)
    if planted == "grow":  # by 600 MB: a whole GB takes seconds
        monkeypatch.setattr(f"{__name__}.KILOBYTES", 500_000)
    path = tmp_path / "file.planted"
    path.write_text(planted, encoding="utf-8")
    assert told in reader.read(path)["fault"]
