"""The report judges its own tables before they are written: `audit_estimates(frame)`."""

from reports.selfaudit.audit import audit_estimates, contradictions

__all__ = ["audit_estimates", "contradictions"]
