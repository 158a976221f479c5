"""Competing risks: cumulative incidence, Gray's test, Fine-Gray. Numpy arrays in, dataclasses or frames out.

An event is an integer code per person: one code means censored, every other one is a cause.
"""
