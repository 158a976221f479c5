"""The report on ADaM tables that were made elsewhere: `report_on_tables(request)`."""

from reports.adam.report import Made, TablesRequest, report_on_tables

__all__ = ["Made", "TablesRequest", "report_on_tables"]
