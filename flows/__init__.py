"""Runs of a study: command line, stages, Prefect flow. Importing it silences all telemetry first."""

import flows.quiet  # noqa: F401
import schemas.memory  # noqa: F401
