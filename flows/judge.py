"""The part of a run that needs lifelines and Great Expectations, in a process of its own.

Their imports cost more CPU than everything else of a run together. `Judge` starts the process while
the deliveries are still being read, so that the imports overlap with the reading; it then waits for
one line of JSON that says where the staged warehouse is, writes the estimates into it, audits it,
and answers with one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from schemas.errors import AuditStoppedError, CarmonyError

TIME_LIMIT = 3600.0  # seconds; a registry of 100,000 patients needs minutes


class Judge:
    """The child process; it is asked once, and answers once."""

    def __init__(self) -> None:
        # Standard error goes to a file: nobody reads a pipe while the child works.
        self._errors = tempfile.TemporaryFile(mode="w+", encoding="utf-8")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flows.judge", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, "PYTHONSAFEPATH": ""},
        )

    def ask(self, warehouse: Path, study: Path, results: Path) -> None:
        """Sends the one request: estimates and audit of a staged warehouse.

        Args:
            warehouse: the staged warehouse; the estimates are written into it.
            study: the study folder.
            results: folder for the results of the audit.
        """
        request = {"warehouse": str(warehouse), "study": str(study), "results": str(results)}
        stdin = self._process.stdin
        if stdin is None:
            raise RuntimeError("one judge judges once")
        with suppress(BrokenPipeError):  # a child that has died tells so in `answer`
            stdin.write(json.dumps(request) + "\n")
            stdin.close()
        self._process.stdin = None

    def answer(self) -> dict[str, Any]:
        """Waits for the answer.

        Returns:
            `passed`, `critical_failures` and `warnings` (sentences without values).

        Raises:
            AuditStoppedError: a table of the report contradicts itself.
            CarmonyError: the process ended without an answer.
        """
        try:
            output, _ = self._process.communicate(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            self.close()
            raise CarmonyError(
                f"Estimates and audit did not end within {TIME_LIMIT / 60:.0f} minutes.",
                fix="run again; if it happens again, the machine is too small for this study",
            ) from None
        lines = output.splitlines()
        try:
            answer = json.loads(lines[-1]) if lines else {}
        except ValueError:
            answer = {}
        if "passed" in answer:
            return dict(answer)
        if "message" in answer:
            stopped = answer.get("exit_code") == AuditStoppedError.exit_code
            kind = AuditStoppedError if stopped else CarmonyError
            raise kind(answer["message"], fix=answer.get("fix", ""))
        raise JudgeError(answer.get("trace") or self._last_words(), self._process.returncode)

    def _last_words(self) -> str:
        """Where the child failed, without the text of the error, which may hold a value."""
        self._errors.seek(0)
        lines = self._errors.read().splitlines()
        return "\n".join(line for line in lines if line.startswith("  File "))

    def close(self) -> None:
        """Ends the process if it still runs."""
        if self._process.poll() is None:
            if self._process.stdin and not self._process.stdin.closed:
                self._process.stdin.close()
            try:
                self._process.wait(0.2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream and not stream.closed:
                stream.close()
        self._errors.close()

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class JudgeError(RuntimeError):
    """The child failed; `safe_text` is the place in its code, never a value."""

    def __init__(self, trace: str, returncode: int | None) -> None:
        self.safe_text = f"estimates and audit ended with code {returncode}\n{trace}"
        super().__init__(self.safe_text)


def _serve() -> int:
    """The child: imports first, then one request, one answer."""
    from flows import results

    results.warm_up_judge()
    line = sys.stdin.readline()
    if not line.strip():
        return 0
    request = json.loads(line)
    try:
        answer = results.judge(
            Path(request["warehouse"]), Path(request["study"]), Path(request["results"])
        )
    except CarmonyError as error:
        answer = {"message": error.message, "fix": error.fix, "exit_code": error.exit_code}
    except Exception as error:
        from flows.bug_log import describe
        from flows.faults import study_fault

        fault = study_fault(error, Path(request["study"]))
        answer = (
            {"message": fault.message, "fix": fault.fix} if fault else {"trace": describe(error)}
        )
    print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    from flows.children import die_with_parent

    die_with_parent(int(sys.argv[1]))
    sys.exit(_serve())
