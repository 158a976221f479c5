"""Nothing calls home: switches that must stand before Prefect or Great Expectations is imported.

Imported for its effect by everything that starts one of them, also in child processes, which
inherit the environment.
"""

from __future__ import annotations

import os

# Two switches for Prefect (server heartbeat, client analytics), one for Great Expectations.
SWITCHES = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


def be_quiet() -> None:
    """Sets every switch; what the user has set otherwise is overruled on purpose."""
    os.environ.update(SWITCHES)


be_quiet()
