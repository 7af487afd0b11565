"""The ``[shop.*]`` blocks of a recipe as commented TOML.

In: findings, one a table. Out: TOML text that says why each choice was made.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from shopsynth.ingest.settings import TableSource


@dataclass(frozen=True)
class Finding:
    """One table that a source was found to feed.

    Attributes:
        table: Standard table.
        source: The block for the recipe.
        why: One sentence on why this source feeds this table.
        doubts: What is uncertain, or worth setting by hand.
        facts: Standard column to a few words on the column behind it.
    """

    table: str
    source: TableSource
    why: str
    doubts: tuple[str, ...]
    facts: dict[str, str]


def recipe_text(findings: Iterable[Finding]) -> str:
    """Write the blocks, each with its reasons as comments."""
    return "\n".join(_block(finding) for finding in findings)


def _block(finding: Finding) -> str:
    source = finding.source
    lines = [f"# Why: {finding.why}", *(f"# Check: {doubt}" for doubt in finding.doubts)]
    lines.append(f"[shop.{finding.table}]")
    plain = source.model_dump(exclude_defaults=True, exclude={"columns", "defaults", "joins"})
    lines += [f"{key} = {_value(value)}" for key, value in plain.items()]
    if source.joins:
        lines += ["joins = [", *(f"  {_inline(join)}," for join in source.joins), "]"]
    if source.defaults:
        pairs = ", ".join(f"{key} = {_value(value)}" for key, value in source.defaults.items())
        lines.append(f"defaults = {{ {pairs} }}")
    lines.append(f"[shop.{finding.table}.columns]")
    for column, origin in source.columns.items():
        fact = finding.facts.get(column)
        lines.append(f"{column} = {_value(origin)}" + (f"  # {fact}" if fact else ""))
    return "\n".join(lines) + "\n"


def _inline(join: object) -> str:
    values = join.model_dump(exclude_defaults=True)  # type: ignore[attr-defined]
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in values.items()) + " }"


def _value(value: object) -> str:
    """Write a TOML value; its strings, numbers, truth values and arrays are written as JSON's."""
    return json.dumps(value, ensure_ascii=False)
