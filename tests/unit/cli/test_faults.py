"""Bad input from outside: a clear error, exit code 2, no traceback, never a cell's value.

Each case damages a good shop in one way and says which words the message must hold: where,
what was expected, what to do.
"""

import gzip
import io
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

from fakes.shops import tiny_tables, write_tiny_shop
from shopsynth.cli.main import main

SECRET = "SECRETCELL"


@pytest.fixture
def call(monkeypatch, capsys):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")

    def run(recipe, workspace, until="split"):
        arguments = [until, recipe, "-w", workspace, "--set", 'pipeline.executor="inline"']
        monkeypatch.setattr(sys, "argv", ["shopsynth", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run


def _replace(folder: Path, old: str, new: str) -> None:
    recipe = folder / "recipe.toml"
    assert old in recipe.read_text()
    recipe.write_text(recipe.read_text().replace(old, new))


def _lines(folder: Path) -> list[str]:
    return (folder / "events.csv").read_text().splitlines()


def missing_file(folder):
    (folder / "events.csv").unlink()


def empty_file(folder):
    (folder / "events.csv").write_bytes(b"")


def header_only(folder):
    (folder / "events.csv").write_text(_lines(folder)[0] + "\n")


def wrong_delimiter(folder):
    _replace(folder, 'path = "events.csv"', 'path = "events.csv"\ndelimiter = ";"')


def binary_junk(folder):
    (folder / "events.csv").write_bytes(bytes(range(256)) * 200)


def duplicate_columns(folder):
    lines = _lines(folder)
    lines[0] = lines[0].replace("quantity", "item_id")
    (folder / "events.csv").write_text("\n".join(lines))


def dates_of_no_kind(folder):
    frame = pl.read_csv(folder / "events.csv", infer_schema=False)
    frame.with_columns(pl.lit(SECRET).alias("timestamp")).write_csv(folder / "events.csv")


def ambiguous_dates(folder):
    frame = pl.read_csv(folder / "events.csv", infer_schema=False)
    ambiguous = pl.Series([f"0{1 + n % 9}/0{1 + n % 7}/2026" for n in range(frame.height)])
    frame.with_columns(ambiguous.alias("timestamp")).write_csv(folder / "events.csv")


def nobody_has_an_id(folder):
    frame = pl.read_csv(folder / "events.csv", infer_schema=False)
    frame.with_columns(pl.lit("NaN").alias("user_id")).write_csv(folder / "events.csv")


def zip_named_csv(folder):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(folder / "events.csv", "events.csv")
    (folder / "events.csv").write_bytes(packed.getvalue())


def truncated_parquet(folder):
    tiny_tables()["events"].write_parquet(folder / "events.parquet")
    whole = (folder / "events.parquet").read_bytes()
    (folder / "events.parquet").write_bytes(whole[: len(whole) // 2])
    _replace(folder, "events.csv", "events.parquet")


def truncated_gzip(folder):
    packed = gzip.compress((folder / "events.csv").read_bytes())
    (folder / "events.csv.gz").write_bytes(packed[: len(packed) // 2])
    _replace(folder, "events.csv", "events.csv.gz")


def unknown_key(folder):
    _replace(folder, "[combine]", "[combine]\nratoi = 1.0")


def missing_column(folder):
    _replace(folder, 'path = "events.csv"', 'path = "events.csv"\ncolumns = { user_id = "user", '
             'item_id = "item_id", timestamp = "timestamp" }')  # fmt: skip


def only_returns(folder):
    frame = pl.read_csv(folder / "events.csv")
    frame.with_columns(pl.lit(-1.0).alias("quantity")).write_csv(folder / "events.csv")


def one_user(folder):
    frame = pl.read_csv(folder / "events.csv")
    frame.filter(pl.col("user_id") == "u000").head(2).write_csv(folder / "events.csv")


def unknown_synthesizer(folder):
    _replace(folder, 'synthesizer = "markov"', 'synthesizer = "makrov"')


FAULTS = {
    missing_file: ("events.csv", "found none|does not exist|no such|not found"),
    empty_file: ("events.csv", "empty"),
    header_only: ("events", "expected rows"),
    wrong_delimiter: ("events.csv", "delimiter"),
    binary_junk: ("events.csv", "text|binary|CSV"),
    duplicate_columns: ("events.csv", "item_id"),
    dates_of_no_kind: ("timestamp", "date_format"),
    ambiguous_dates: ("timestamp", "date_format"),
    nobody_has_an_id: ("missing_user_id", r"\[shop\.events\]|user_id"),
    zip_named_csv: ("events.csv", "(?i)zip"),
    truncated_parquet: ("events.parquet", "(?i)parquet"),
    truncated_gzip: ("events.csv.gz", "ends too early"),
    unknown_key: ("ratoi", "did you mean 'ratio'"),
    missing_column: ("user", "user_id"),
    only_returns: ("return", r"\[clean\]|drop_returns"),
    one_user: ("split", "validation|test|part"),
}


@pytest.mark.parametrize("damage", FAULTS, ids=lambda damage: damage.__name__)
def test_a_fault_is_named_and_no_cell_is_shown(call, tmp_path, damage):
    import re

    recipe = write_tiny_shop(tmp_path)
    damage(tmp_path)
    code, out, err = call(recipe, tmp_path / "w")
    assert code == 2, out + err
    for words in FAULTS[damage]:
        assert re.search(words, err), err
    assert SECRET not in err + out
    assert "u000" not in err
    assert "Traceback" not in err


def test_an_unknown_synthesizer_lists_the_known(call, tmp_path):
    recipe = write_tiny_shop(tmp_path)
    unknown_synthesizer(tmp_path)
    code, _, err = call(recipe, tmp_path / "w", until="generate")
    assert code == 2
    assert "did you mean 'markov'" in err


def ragged_rows(lines):
    lines[5] = lines[5] + ",extra,cells"
    lines[9] = lines[9].split(",")[0]
    return lines


def impossible_dates(lines):
    return [line.replace("2026-01-1", "2026-02-3", 1) if n % 40 == 7 else line
            for n, line in enumerate(lines)]  # fmt: skip


def two_date_formats(lines):
    head, *rows = lines
    place = head.split(",").index("timestamp")
    for n in range(0, len(rows), 2):
        cells = rows[n].split(",")
        year, month, day = cells[place][:10].split("-")
        cells[place] = f"{month}/{day}/{year} 08:26"
        rows[n] = ",".join(cells)
    return [head, *rows]


def float_ids(lines):
    head, *rows = lines
    return [head, *(f"{n % 20}.0,{row.split(',', 1)[1]}" for n, row in enumerate(rows))]


def nan_ids(lines):
    head, *rows = lines
    return [head, *(f"NaN,{r.split(',', 1)[1]}" if n % 9 == 0 else r for n, r in enumerate(rows))]


def negative_prices(lines):
    return [line.replace(",2.5", ",-2.5") if n % 10 == 3 else line for n, line in enumerate(lines)]


def mixed_type_column(lines):
    return [line.replace(",1.0,", f",{SECRET},") if n % 10 == 3 else line
            for n, line in enumerate(lines)]  # fmt: skip


def ten_megabytes_in_a_cell(lines):
    lines[4] = lines[4].replace("purchase", "x" * (10 << 20))
    return lines


@pytest.mark.parametrize(
    "damage",
    [
        ragged_rows, impossible_dates, two_date_formats, float_ids, nan_ids, negative_prices,
        mixed_type_column, ten_megabytes_in_a_cell,
    ],
    ids=lambda damage: damage.__name__,
)  # fmt: skip
def test_bad_rows_are_kept_as_rejects_and_the_rest_goes_on(call, tmp_path, damage):
    import json

    recipe = write_tiny_shop(tmp_path)
    lines = _lines(tmp_path)
    n_rows = len(lines) - 1
    (tmp_path / "events.csv").write_text("\n".join(damage(lines)) + "\n")
    code, out, err = call(recipe, tmp_path / "w", until="clean")
    assert code == 0, err
    kept = rejected = 0
    for stage in ("ingest", "clean"):
        facts = json.loads((tmp_path / "w" / stage / "manifest.json").read_text())["facts"]
        rejected += sum(facts["rejects"].get("events", {}).values())
        (line,) = (line for line in out.splitlines() if line.startswith(f"│ {stage} "))
        told = sum(sum(reasons.values()) for reasons in facts["rejects"].values())
        assert int(line.split("│")[3].replace(",", "")) == told
        kept = facts["rows"]["events"]
    assert kept + rejected == n_rows
    assert kept > n_rows / 2
    if damage not in (two_date_formats, float_ids):
        assert rejected > 0
    assert SECRET not in out + err


def test_text_that_is_not_utf8_is_read_in_its_own_encoding(call, tmp_path):
    recipe = write_tiny_shop(tmp_path)
    items = (tmp_path / "items.csv").read_text().replace("lamp", "灯").replace("mug", "杯子")
    (tmp_path / "items.csv").write_bytes(items.encode("gb18030"))
    code, _, err = call(recipe, tmp_path / "w", until="clean")
    assert code == 0, err
    (part,) = (tmp_path / "w" / "clean" / "items").glob("*.parquet")
    assert pl.read_parquet(part)["title"].str.contains("杯子").any()


def test_every_item_cold_is_said_not_crashed(call, tmp_path):
    recipe = write_tiny_shop(tmp_path)
    events = pl.read_csv(tmp_path / "events.csv").sort("timestamp")
    late = pl.int_range(pl.len()) >= pl.len() * 0.7
    fresh = pl.format("new{}", pl.int_range(pl.len()) % 20)
    events = events.with_columns(pl.when(late).then(fresh).otherwise("item_id").alias("item_id"))
    events.write_csv(tmp_path / "events.csv")
    new = pl.DataFrame({"item_id": [f"new{n}" for n in range(20)]})
    items = pl.concat([pl.read_csv(tmp_path / "items.csv"), new], how="diagonal")
    items.write_csv(tmp_path / "items.csv")
    code, out, err = call(recipe, tmp_path / "w", until="report")
    assert "Traceback" not in err
    assert code == 0, err
    assert "no effect shown" in out
