"""Evaluation to pictures, words and ``summary.json``."""

from shopsynth.report.console import ConsoleRow, console_rows
from shopsynth.report.context import ReportContext
from shopsynth.report.data_card import CardFile, data_card
from shopsynth.report.guarantee import guarantee
from shopsynth.report.headline import Headline, explain_verdict
from shopsynth.report.render import (
    render_html,
    render_markdown,
    render_shareable,
    write_report,
)
from shopsynth.report.summary import Summary, build_summary, parse_summary, summary_schema
from shopsynth.report.summary_parts import SummaryPrivacy

__all__ = [
    "CardFile",
    "ConsoleRow",
    "Headline",
    "ReportContext",
    "Summary",
    "SummaryPrivacy",
    "build_summary",
    "console_rows",
    "data_card",
    "explain_verdict",
    "guarantee",
    "parse_summary",
    "render_html",
    "render_markdown",
    "render_shareable",
    "summary_schema",
    "write_report",
]
