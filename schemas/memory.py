"""How long Polars keeps freed memory before the system gets it back; set before Polars is imported.

By default it returns pages after half a second, and asks for them again with the next block: a tenth
of the CPU of a large load was page faults. With ten seconds a load of millions of rows keeps about
180 MB more. The variable is the allocator's own; what the environment says goes first.
"""

import os

os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000,muzzy_decay_ms:10000")
