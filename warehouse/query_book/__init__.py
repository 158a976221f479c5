"""The workbook of queries that a center gets, fills in and sends back.

`lines` makes one line per fact from queries and what the deliveries in force tell, `write_book` the
workbook, `write_query_packet` both files of a center's packet. `columns` holds the stable codes by
which an answered workbook is read.
"""

from __future__ import annotations

from warehouse.query_book.book import write_book
from warehouse.query_book.cover import About
from warehouse.query_book.lines import lines
from warehouse.query_book.packet import Known, write_query_packet

__all__ = ["About", "Known", "lines", "write_book", "write_query_packet"]
