"""Which rows the test part asks about, told by hashes: the same rows are known again.

In: the parts of a split. Out: :class:`~shopsynth.pipeline.looks.AskedRows`.

A small change of the data before the cut moves a cut by time, and with it a few test rows. A hash
of the whole part would call that another test; a sample of its rows shows that it is not.
"""

from hashlib import blake2b
from typing import Any

import polars as pl

from shopsynth.pipeline.job import Job
from shopsynth.pipeline.looks import DIGITS, AskedRows
from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.verbs import Verbs
from shopsynth.schema import TABLES, TableSpec, sha256_of, stable_bucket

ROOMS = ("schema", "pipeline.asked")
"""Code that the hashes depend on."""

_HERE = "shopsynth.pipeline.asked"
_N_SAMPLE = 256
_N_FIRST_HASHES = 1 << 32
_ASKED = ("events", "queries", "judgments", "reviews", "relations")
"""Tables whose test rows are answers; who the users are and what is sold is no secret of test."""


def asked_rows(split: Manifest, verbs: Verbs) -> AskedRows:
    """Hash the rows of the test part, piece by piece: 2 seconds of CPU a million rows.

    Args:
        split: The complete split.
        verbs: What runs the tasks.
    """
    parts = [ref for table in _ASKED for ref in split.parts(f"test/{table}")]
    tasks = [verbs.task(f"{_HERE}:hash_rows", [part]) for part in parts]
    found = [result.facts for result in verbs.map("count this look at test", tasks)]
    tables: dict[str, list[int]] = {}
    for facts in found:
        rows, total = tables.setdefault(facts["table"], [0, 0])
        # Sums do not depend on the order of rows, nor on how they are cut into parts.
        tables[facts["table"]] = [rows + facts["rows"], (total + facts["total"]) % (1 << 64)]
    sample = sorted({row for facts in found for row in facts["sample"]})[:_N_SAMPLE]
    whole = all(facts["whole"] for facts in found) and len(sample) < _N_SAMPLE
    return AskedRows(sha256_of([tables, sample]), tuple(sample), whole)


def hash_rows(job: Job) -> dict[str, Any]:
    """Count the rows of one part, add up their hashes, keep those that come first by hash."""
    (name,) = job.names()
    table = name.rpartition("/")[2]
    rows = _row_keys(job.frame(name), TABLES[table])
    # CRC-32 is fast and draws; BLAKE2 keeps the few that were drawn apart.
    first = stable_bucket(rows, _N_FIRST_HASHES)
    drawn = pl.DataFrame({"row": rows, "hash": first}).unique().sort("hash", "row").head(_N_SAMPLE)
    sample = [f"{number:08x}{_digest(row)}" for row, number in drawn.iter_rows()]
    return {
        "table": table,
        "rows": rows.len(),
        "total": int(first.cast(pl.UInt64).sum()),
        "sample": sample,
        "whole": drawn.height < _N_SAMPLE,
    }


def _row_keys(frame: pl.DataFrame, spec: TableSpec) -> pl.Series:
    """Write what identifies each row as one string."""
    columns = [c for c in spec.key or (*spec.required, *spec.one_of) if c in frame.columns]
    values = [pl.col(column).to_physical().cast(pl.String).fill_null("\0") for column in columns]
    return frame.select(pl.concat_str([pl.lit(spec.name), *values], separator="\x1f").alias("row"))[
        "row"
    ]


def _digest(row: str) -> str:
    return blake2b(row.encode(), digest_size=DIGITS // 4).hexdigest()
