"""The calls into the packages below, each imported when it is first needed.

One place says what a run asks of `schemas`, `transforms`, `warehouse` and `reports`; nothing else in
`flows` names their functions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.folder import StudyFolder
from schemas.delivery import Delivery
from schemas.errors import CarmonyError, FileError, Place
