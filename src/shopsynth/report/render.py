"""The report itself: an HTML page that opens offline, its Markdown, and what may be shared.

In: ``summary.json``'s values, the :class:`Evaluation` and the :class:`ReportContext`. Out: text, or
four files. Titles and ids come from the shop and are untrusted: a page escapes every value, allows
only its own two scripts by their hash, and loads nothing.
"""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shopsynth.report import labels
from shopsynth.report.case import side_standing
from shopsynth.report.claims import claims_table, registration_note
from shopsynth.report.context import ReportContext
from shopsynth.report.costs import cost_figure, cost_table
from shopsynth.report.figures import (
    Figure,
    fidelity_figure,
    reject_figure,
    stage_figure,
    utility_figure,
)
from shopsynth.report.numerals import count, percent, score
from shopsynth.report.pictures import distribution_figure, embedding_figure
from shopsynth.report.sections import sections
from shopsynth.report.shareable import NO_UPLIFT, privacy_part, receipt, shareable_audits
from shopsynth.report.summary import parse_summary
from shopsynth.report.summary_parts import SummaryPrivacy
from shopsynth.report.tables import (
    audit_table,
    fact_table,
    generator_table,
    histories,
    metrics_table,
)
from shopsynth.schema import Evaluation

_ROOM = Path(__file__).parent
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")
_PRIVACY_SHOWN = frozenset(SummaryPrivacy.model_fields) - {"max_events_per_user"}
"""Told by the guarantee and the ledger; other facts are listed."""


def render_html(summary: dict[str, object], evaluation: Evaluation, context: ReportContext) -> str:
    """Make the page: self-contained, readable without scripts, inert against hostile titles.

    Args:
        summary: What :func:`build_summary` gave.
        evaluation: All results.
        context: The other facts.

    Raises:
        SchemaError: If the summary breaks its contract.
    """
    facts = _facts(summary, evaluation, context)
    charts = _read("templates/charts.js")
    library = _read("vendor/echarts.common.min.js")
    return (
        _environment(autoescape=True)
        .get_template("report.html.jinja")
        .render(
            **facts,
            css=Markup(_read("templates/report.css")),  # noqa: S704 - our own file
            scripts=[Markup(library), Markup(charts)],  # noqa: S704 - our own files
            script_hashes=[_csp_hash(library), _csp_hash(charts)],
            chart_data={
                f"{item.id}-{i}": {**panel.data, "height": panel.height_px}
                for item in _all_figures(facts)
                for i, panel in enumerate(item.panels)
            },
        )
    )


def render_shareable(summary: dict[str, object], context: ReportContext) -> str:
    """Make the page that may leave the house: no script, and no number about real rows.

    Args:
        summary: What :func:`build_summary` gave.
        context: The other facts.

    Raises:
        SchemaError: If the summary breaks its contract.
    """
    parsed = parse_summary(summary)
    return (
        _environment(autoescape=True)
        .get_template("shareable.html.jinja")
        .render(
            context=context,
            summary=parsed,
            left_out=NO_UPLIFT,
            audits=audit_table(shareable_audits(parsed, context)),
            css=Markup(_read("templates/report.css")),  # noqa: S704 - our own file
            **privacy_part(parsed),
        )
    )


def render_markdown(
    summary: dict[str, object], evaluation: Evaluation, context: ReportContext
) -> str:
    """Make the same report in Markdown: words and tables, no pictures.

    Args:
        summary: What :func:`build_summary` gave.
        evaluation: All results.
        context: The other facts.

    Raises:
        SchemaError: If the summary breaks its contract.
    """
    facts = _facts(summary, evaluation, context)
    environment = _environment(autoescape=False)
    environment.filters["cell"] = _markdown_cell
    return environment.get_template("report.md.jinja").render(**facts)


def write_report(
    summary: dict[str, object], evaluation: Evaluation, context: ReportContext, folder: Path
) -> dict[str, Path]:
    """Write the controller's report and what may be shared into an existing folder.

    ``report.html`` and ``report.md`` are for the data's controller; ``shareable.html`` and
    ``receipt.json`` hold no number about real rows. These two are withheld in mode ``dp`` while an
    audit fails: a release that must not go out has no papers.

    Args:
        summary: What :func:`build_summary` gave.
        evaluation: All results.
        context: The other facts.
        folder: Where the files go; files of the same name are replaced at once, never half.

    Returns:
        The paths, by ``html``, ``markdown`` and, unless withheld, ``shareable`` and ``receipt``.

    Raises:
        SchemaError: If the summary breaks its contract.
    """
    parsed = parse_summary(summary)
    texts = {
        "html": ("report.html", render_html(summary, evaluation, context)),
        "markdown": ("report.md", render_markdown(summary, evaluation, context)),
    }
    if parsed.privacy.mode != "dp" or all(audit.passed for audit in parsed.privacy.audits):
        shared = json.dumps(receipt(parsed, context), indent=1, ensure_ascii=False)
        texts["shareable"] = ("shareable.html", render_shareable(summary, context))
        texts["receipt"] = ("receipt.json", shared + "\n")
    written = {}
    for kind, (name, text) in texts.items():
        unfinished = folder / f".{name}.unfinished"
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        written[kind] = unfinished.replace(folder / name)
    return written


def _facts(
    summary: dict[str, object], evaluation: Evaluation, context: ReportContext
) -> dict[str, Any]:
    parsed = parse_summary(summary)
    told = sections(parsed, evaluation, context)
    return {
        "context": context,
        "summary": parsed,
        "sections": told,
        "registration": registration_note(parsed.registration),
        "claims": claims_table(parsed.hypotheses),
        "labels": labels,
        "side_standing": side_standing,
        "figures": {
            "embedding": embedding_figure(evaluation),
            "distributions": distribution_figure(evaluation),
            "fidelity": fidelity_figure(evaluation),
            "utility": utility_figure(evaluation),
            "rejects": reject_figure(context.rejects),
            "fits": cost_figure(parsed.costs),
            "costs": stage_figure(context.stages),
        },
        "costs": cost_table(parsed.costs),
        "metrics": metrics_table(evaluation),
        "audits": audit_table(parsed.privacy.audits),
        **privacy_part(parsed),
        "generators": generator_table(context),
        "split": fact_table(context.split),
        "protocol": fact_table(dict(context.protocol)),
        "environment": fact_table(dict(context.environment)),
        "privacy_facts": fact_table(
            {k: v for k, v in context.privacy.items() if k not in _PRIVACY_SHOWN}
        ),
        "histories": histories(context.samples),
    }


def _all_figures(facts: dict[str, Any]) -> list[Figure]:
    own = [item for section in facts["sections"] for item in section.figures]
    return own + [item for item in facts["figures"].values() if item is not None]


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_ROOM / "templates"),
        autoescape=autoescape,  # noqa: S701 - Markdown has its own filter
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"count": count, "percent": percent, "score": score}
    return environment


def _read(name: str) -> str:
    return (_ROOM / name).read_text(encoding="utf-8")


def _csp_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _markdown_cell(value: object) -> str:
    """Escape a value so that it is text in any Markdown table: no markup, no HTML, one line."""
    text = _MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(str(value).split()))
    return text.replace("&", "&amp;")
