"""Reports: a notebook run with declared parameters becomes one offline page and what stands behind it."""

from __future__ import annotations

from lifecycle_kit.reports.folder import ReportFolder, report_folder
from lifecycle_kit.reports.parameters import LIFECYCLE_REPORT, Parameter, check_parameters
from lifecycle_kit.reports.runner import PublishedReport, run_report
from lifecycle_kit.reports.tables import Html, cards_html, escape, escape_markdown, table_html

__all__ = [
    "LIFECYCLE_REPORT",
    "Html",
    "Parameter",
    "PublishedReport",
    "ReportFolder",
    "cards_html",
    "check_parameters",
    "escape",
    "escape_markdown",
    "report_folder",
    "run_report",
    "table_html",
]
