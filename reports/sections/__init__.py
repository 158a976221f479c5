"""Sections of the report page, each made from the rows of one display."""
