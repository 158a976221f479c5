"""The demo study: synthetic exports of twelve hospitals in two rounds, with planted faults.

Made without the readers, specs and rules that it tests; no real person is in it.
"""

from __future__ import annotations

from demo.study import write_demo_study

__all__ = ["write_demo_study"]
