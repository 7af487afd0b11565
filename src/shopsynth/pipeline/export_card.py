"""The label and the data card of an export: what the rows are, for people and for programs.

In: the files of an export and the facts of the release. Out: ``label.json`` and ``croissant.json``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from shopsynth.report import CardFile, SummaryPrivacy, data_card
from shopsynth.schema import MAIN_FURTHER, OWNERS

NOTICES = {
    "dp": "differentially private as the ledger of the workspace says",
    "public": "made from data declared public",
    "deidentify": "no differential privacy, still personal data",
    "unsafe_nonprivate": "made from raw personal data without protection",
}
"""What each privacy mode gives to whoever holds the rows."""

_TABLES = {"inter": "events", "item": "items", "corpus": "items", "qrels": "judgments"}
"""The table behind a file of RecBole, by its suffix, or of BEIR, by its name."""

_IS_MADE_BY_AI = "1"
"""``Label`` of GB 45438-2025, annex E: 1 is, 2 may be, 3 is suspected to be made by AI."""


def describe_export(
    folder: Path,
    written: Sequence[Path],
    tables: Mapping[str, pl.DataFrame],
    *,
    privacy: Mapping[str, Any],
    made: Sequence[Mapping[str, Any]],
    created: str,
) -> list[Path]:
    """Write the label, then the card that lists every other file with its hash.

    Args:
        folder: Of the export.
        written: Its files so far.
        tables: The rows in them.
        privacy: Facts of the release; those that are no field of ``SummaryPrivacy`` are left out.
        made: One a generator: ``synthesizer``, ``seed``, ``config_sha256``.
        created: When they were made, ISO 8601.

    Returns:
        Both paths, the card last.
    """
    facts = {k: v for k, v in privacy.items() if k in SummaryPrivacy.model_fields}
    release = str(facts["release"])
    label, card = folder / "label.json", folder / "croissant.json"
    _write(label, _label(str(facts["mode"]), [str(m["synthesizer"]) for m in made], release))
    kept = {
        method: n
        for table in (*OWNERS, *MAIN_FURTHER)
        if table in tables
        for method, n in tables[table].group_by("synthesizer").len().iter_rows()
    }
    told = data_card(
        SummaryPrivacy.model_validate({"audits": (), **facts}),
        [_card_file(path, folder, tables) for path in (*written, label)],
        [{**each, "rows": kept.get(each["synthesizer"], 0)} for each in made],
        created=created,
        version=version("shopsynth"),
    )
    _write(card, told)
    return [label, card]


def _label(mode: str, methods: list[str], release: str) -> dict[str, object]:
    """Say what these rows are, for whoever finds them later."""
    return {
        "generated_by": "shopsynth",
        "ai_generated": True,
        "privacy_mode": mode,
        "notice": f"synthetic; {NOTICES[mode]}",
        "made": methods,
        "AIGC": {
            "Label": _IS_MADE_BY_AI,
            "ContentProducer": "shopsynth",
            "ProduceID": release,
            "ReservedCode1": "",
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        },
    }


def _write(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _card_file(path: Path, folder: Path, tables: Mapping[str, pl.DataFrame]) -> CardFile:
    columns = _columns(path)
    name = path.relative_to(folder).as_posix()
    table = ""
    if columns:
        stem = name.partition("/")[0].partition(".")[0]
        table = _TABLES.get(path.suffix.removeprefix("."), _TABLES.get(stem, stem))
    return CardFile(
        name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        path.stat().st_size,
        columns,
        table,
        tables[table].height if table else 0,
    )


def _columns(path: Path) -> dict[str, pl.DataType]:
    """Read the columns of a table as a stranger would find them; a database shows none."""
    if path.suffix == ".parquet":
        return dict(pl.read_parquet_schema(path))
    if path.suffix == ".csv":
        return dict(pl.scan_csv(path, try_parse_dates=True).collect_schema())
    if path.suffix == ".jsonl":
        return dict(pl.scan_ndjson(path).collect_schema())
    if path.suffix in (".inter", ".item", ".tsv"):
        separated = pl.scan_csv(path, separator="\t", quote_char=None)
        return dict(separated.collect_schema())
    return {}
