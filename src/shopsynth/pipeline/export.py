"""export: the synthetic rows of a finished workspace in the format another tool reads.

In: a workspace. Out: files in a folder, with a label and a data card that say how they were
protected.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from shopsynth.pipeline.export_card import describe_export
from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.stages.methods import is_noise, table_of
from shopsynth.pipeline.stages.protection import release_facts
from shopsynth.pipeline.workspace import Workspace, open_workspace
from shopsynth.privacy import PrivacySettings
from shopsynth.schema import (
    COMPANIONS,
    FURTHER,
    GateError,
    InputError,
    SchemaError,
    UnknownNameError,
    WorkspaceError,
    nearest,
)

_FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")
"""First characters that spreadsheets execute (OWASP ASVS 1.2.10), full-width forms included."""


def export(workspace: str | Path, to: str, output: str | Path) -> list[Path]:
    """Write the synthetic rows of the first seed, and the catalogue they refer to.

    Users and queries come along where the shop has some, and all tables of what was written about
    items; of ``recbole`` and ``beir`` only what those formats hold.

    Args:
        workspace: A workspace whose ``combine`` stage is complete; ``generate`` is enough where
            nothing was made but what is written about items.
        to: ``parquet``, ``csv``, ``huggingface``, ``recbole``, ``beir`` or ``sql``.
        output: Folder for the files; made if missing.

    Returns:
        The files written, then ``label.json`` and ``croissant.json``.

    Raises:
        UnknownNameError: If the format is unknown.
        WorkspaceError: If the workspace has no synthetic rows yet, or older ones than its
            privacy stage; in mode dp also if they were not audited.
        GateError: In mode dp, if an audit of the rows failed.
        InputError: If the files cannot be written.
        SchemaError: If the format needs tables that the shop does not have.
    """
    if to not in _WRITERS:
        raise UnknownNameError(f"export --to {to!r} does not exist; {nearest(to, _WRITERS)}")
    place = open_workspace(workspace)
    privacy, split = place.manifest("privacy"), place.manifest("split")
    generated, combined = place.manifest("generate"), place.manifest("combine")
    alone = generated is not None and not generated.facts["made"]
    if generated is None or privacy is None or split is None or not (alone or combined):
        raise WorkspaceError(
            f"workspace {place.root}: expected a complete combine stage, found none; "
            "run: shopsynth run RECIPE --workspace DIR"
        )
    last = generated if alone or combined is None else combined
    _refuse_stale(place, privacy, generated, last)
    if privacy.facts["receipt"]["mode"] == "dp":
        _refuse_unaudited(place, generated)
    made = {**_synthetic(place, last), **_further(place, generated)}
    tables = {"items": _read(place, split, "items"), **made}
    kept = {k: v for k, v in privacy.config.items() if k in PrivacySettings.model_fields}
    settings = PrivacySettings.parse(kept, "the privacy stage of the workspace")
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = _WRITERS[to](tables, folder)
        told = describe_export(
            folder,
            written,
            tables,
            privacy=release_facts(settings, privacy, generated),
            made=_made(generated),
            created=last.finished_at,
        )
    except OSError as error:
        raise InputError(
            f"{folder}: expected a folder to write the files to, but {error.strerror or error}; "
            "choose another --output"
        ) from error
    return [*written, *told]


def _refuse_stale(place: Workspace, privacy: Manifest, generated: Manifest, last: Manifest) -> None:
    """Refuse rows made before the protection that is told of them, or kept of other rows."""
    kept_of_these = last is generated or last.inputs.get("generate") == generated.digest
    if generated.inputs.get("privacy") != privacy.digest or not kept_of_these:
        raise WorkspaceError(
            f"workspace {place.root}: expected stages of one run, found a combine stage older than "
            "the stages before it; run: shopsynth run RECIPE --workspace DIR"
        )


def _refuse_unaudited(place: Workspace, generated: Manifest) -> None:
    """Let no row of mode dp out that was not audited, or that an audit stopped."""
    evaluated = place.manifest("evaluate")
    if evaluated is None or evaluated.inputs.get("generate") != generated.digest:
        raise WorkspaceError(
            f"workspace {place.root}: expected audits of these rows, found none; rows of mode dp "
            "are exported after shopsynth run RECIPE --workspace DIR"
        )
    audits = _read(place, evaluated, "audits")
    if failed := audits.filter(~pl.col("passed"))["name"].to_list():
        raise GateError(
            f"privacy audits failed: {', '.join(failed)}. These rows must not be released; what "
            "they cost stays spent. Look into the cause before a new run"
        )


def _read(place: Workspace, manifest: Manifest, name: str) -> pl.DataFrame:
    parts = [pl.read_parquet(place.store.local_path(r.key)) for r in manifest.parts(name)]
    return pl.concat(parts, how="diagonal")


def _synthetic(place: Workspace, combined: Manifest) -> dict[str, pl.DataFrame]:
    """Read the rows of the first seed, and what comes with them, each with its method."""
    found: dict[str, list[pl.DataFrame]] = {}
    for ref in combined.outputs:
        room, _, method = ref.name.partition("/")
        if room in ("kept", *COMPANIONS) and not is_noise(method) and ref.label == "0":
            frame = pl.read_parquet(place.store.local_path(ref.key))
            named = frame.with_columns(pl.lit(method).alias("synthesizer"))
            found.setdefault(table_of(method) if room == "kept" else room, []).append(named)
    return {table: pl.concat(frames, how="diagonal") for table, frames in found.items()}


def _further(place: Workspace, generated: Manifest) -> dict[str, pl.DataFrame]:
    """Read what was written about items, each row with its method."""
    found: dict[str, list[pl.DataFrame]] = {}
    for ref in generated.outputs:
        table, _, method = ref.name.partition("/")
        if table in FURTHER:
            frame = pl.read_parquet(place.store.local_path(ref.key))
            named = frame.with_columns(pl.lit(method).alias("synthesizer"))
            found.setdefault(table, []).append(named)
    return {table: pl.concat(frames) for table, frames in found.items()}


def _made(generated: Manifest) -> list[dict[str, Any]]:
    """List the methods whose rows are exported, as they were run for the first seed."""
    return [
        each
        for each in (*generated.facts["made"], *generated.facts["written"])
        if each["number"] == 0 and not is_noise(each["synthesizer"])
    ]


def _parquet(tables: dict[str, pl.DataFrame], folder: Path) -> list[Path]:
    written = []
    for name, frame in tables.items():
        path = folder / f"{name}.parquet"
        frame.write_parquet(path)
        written.append(path)
    return written


def _csv(tables: dict[str, pl.DataFrame], folder: Path) -> list[Path]:
    written = []
    for name, frame in tables.items():
        path = folder / f"{name}.csv"
        formula_safe(frame).write_csv(path)
        written.append(path)
    return written


def formula_safe(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text and names that a spreadsheet would run as a formula.

    Example:
        >>> formula_safe(pl.DataFrame({"title": ["=1+1", "mug"]}))["title"].to_list()
        ["'=1+1", 'mug']
    """
    frame = frame.rename(lambda name: f"'{name}" if name.startswith(_FORMULA_START) else name)
    text = pl.col(pl.String)
    risky = text.str.slice(0, 1).is_in(list(_FORMULA_START))
    return frame.with_columns(pl.when(risky).then(pl.lit("'") + text).otherwise(text).name.keep())


def _huggingface(tables: dict[str, pl.DataFrame], folder: Path) -> list[Path]:
    written = []
    for name, frame in tables.items():
        path = folder / name / "train-00000-of-00001.parquet"
        path.parent.mkdir(exist_ok=True)
        frame.write_parquet(path)
        written.append(path)
    configs = "".join(f"- config_name: {name}\n  data_files: {name}/*.parquet\n" for name in tables)
    card = folder / "README.md"
    card.write_text(
        f"---\nconfigs:\n{configs}tags:\n- synthetic\n---\n\n"
        "Synthetic shop data made by shopsynth; `label.json` and `croissant.json` say how it was "
        "protected.\n",
        encoding="utf-8",
    )
    return [*written, card]


def _recbole(tables: dict[str, pl.DataFrame], folder: Path) -> list[Path]:
    if "events" not in tables:
        raise SchemaError(
            f"export --to recbole: expected events, the workspace has {', '.join(tables)}; choose "
            "beir, parquet or csv"
        )
    events = tables["events"]
    if "timestamp" in events.columns:
        time = (pl.col("timestamp").dt.epoch("ms") / 1000).alias("timestamp:float")
    else:
        time = pl.col("position").cast(pl.Float64).alias("timestamp:float")
    inter = events.select(
        pl.col("user_id").alias("user_id:token"), pl.col("item_id").alias("item_id:token"), time
    )
    items = tables["items"]
    columns = [pl.col("item_id").alias("item_id:token")]
    columns += [
        pl.col(name).str.replace_all(r"\s+", " ").alias(f"{name}:token_seq")
        for name in ("title", "brand", "category")
        if name in items.columns
    ]
    written = []
    for suffix, frame in (("inter", inter), ("item", items.select(columns))):
        path = folder / f"{folder.resolve().name}.{suffix}"
        frame.write_csv(path, separator="\t", quote_style="never")
        written.append(path)
    return written


def _beir(tables: dict[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/train.tsv``, grades as integers."""
    if "queries" not in tables or "judgments" not in tables:
        raise SchemaError(
            "export --to beir: expected queries and judgments, the workspace has "
            f"{', '.join(tables)}. Add a method that makes them (title_queries), or choose "
            "parquet, csv or recbole."
        )
    items = tables["items"]
    words = {
        told: pl.col(name).fill_null("") if name in items.columns else pl.lit("")
        for name, told in (("title", "title"), ("description", "text"))
    }
    corpus = items.select(pl.col("item_id").alias("_id"), **words)
    queries = tables["queries"].select(pl.col("query_id").alias("_id"), "text")
    qrels = tables["judgments"].select(
        pl.col("query_id").alias("query-id"),
        pl.col("item_id").alias("corpus-id"),
        pl.col("grade").round().cast(pl.Int64).alias("score"),
    )
    paths = [folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "train.tsv"]
    paths[2].parent.mkdir(exist_ok=True)
    corpus.write_ndjson(paths[0])
    queries.write_ndjson(paths[1])
    qrels.write_csv(paths[2], separator="\t")
    return paths


def _sql(tables: dict[str, pl.DataFrame], folder: Path) -> list[Path]:
    path = folder / "shop.sqlite"
    if path.exists():
        raise InputError(f"{path}: exists already; choose another --output")
    connection = sqlite3.connect(path)
    try:
        for name, frame in tables.items():
            plain = frame.with_columns(pl.col(pl.Datetime).dt.to_string("iso"))
            columns = ", ".join(_quoted(column) for column in plain.columns)
            marks = ", ".join("?" for _ in plain.columns)
            connection.execute(f"CREATE TABLE {_quoted(name)} ({columns})")
            connection.executemany(
                f"INSERT INTO {_quoted(name)} VALUES ({marks})",  # noqa: S608 - names are quoted
                plain.iter_rows(),
            )
        connection.commit()
    finally:
        connection.close()
    return [path]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_WRITERS: dict[str, Callable[[dict[str, pl.DataFrame], Path], list[Path]]] = {
    "parquet": _parquet,
    "csv": _csv,
    "huggingface": _huggingface,
    "recbole": _recbole,
    "beir": _beir,
    "sql": _sql,
}
