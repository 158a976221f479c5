"""The golden runner: every result of R in a folder, computed again and compared."""
