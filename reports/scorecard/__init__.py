"""The scorecards: a page of each center that can be sent to it, and the data manager's page of the study."""

from reports.scorecard.write import write_scorecards

__all__ = ["write_scorecards"]
