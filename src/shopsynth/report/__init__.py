"""Evaluation to pictures, words and ``summary.json``."""

from shopsynth.report.console import ConsoleRow, console_rows
from shopsynth.report.context import ReportContext
from shopsynth.report.headline import Headline, explain_verdict
from shopsynth.report.render import (
    render_html,
    render_markdown,
    render_shareable,
    write_report,
)
from shopsynth.report.summary import Summary, build_summary, parse_summary, summary_schema

__all__ = [
    "ConsoleRow",
    "Headline",
    "ReportContext",
    "Summary",
    "build_summary",
    "console_rows",
    "explain_verdict",
    "parse_summary",
    "render_html",
    "render_markdown",
    "render_shareable",
    "summary_schema",
    "write_report",
]
