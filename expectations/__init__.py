"""The audit of a staged warehouse; `audit_load` is the entry of a run."""

from expectations.audit import AuditResult, audit
from expectations.load import advice, audit_load
from expectations.page import write_results

__all__ = ["AuditResult", "advice", "audit", "audit_load", "write_results"]
