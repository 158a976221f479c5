"""Statistics of the report: arrays in, numbers out. Every number equals R's (tests/golden).

Import the modules where they are used: lifelines and scipy cost seconds to import.
"""
