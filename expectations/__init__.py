"""The audit of a staged warehouse; `audit` and `write_results` are its two entries."""

from expectations.audit import AuditResult, audit
from expectations.page import write_results

__all__ = ["AuditResult", "audit", "write_results"]
