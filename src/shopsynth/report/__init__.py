"""Evaluation to pictures, words and ``summary.json``."""

from shopsynth.report.context import ReportContext
from shopsynth.report.summary import Summary, build_summary, parse_summary, summary_schema

__all__ = ["ReportContext", "Summary", "build_summary", "parse_summary", "summary_schema"]
