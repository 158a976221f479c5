"""Tests of tables, ranks and means, intervals of shares: what a baseline table prints. Numbers equal R's.

A test that the data cannot answer gives None or NaN, never a number.
"""
