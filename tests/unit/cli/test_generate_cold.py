"""shopsynth generate --cold: files, words and exit codes."""

import json
import sys

import polars as pl
import pytest

from fakes.shops import write_tiny_shop
from shopsynth.cli.main import main

INLINE = ("--set", 'pipeline.executor="inline"', "--quiet")


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Call ``generate`` on a tiny shop; return exit code, standard output and standard error."""
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    monkeypatch.setenv("COLUMNS", "200")
    recipe = write_tiny_shop(tmp_path / "shop")

    def run(*arguments):
        words = ["generate", recipe, "-w", tmp_path / "w", *INLINE, *arguments]
        monkeypatch.setattr(sys, "argv", ["shopsynth", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run


def test_new_items_of_a_file_come_in_histories(call, tmp_path):
    pl.DataFrame({"item_id": ["new"], "title": ["candle, tall"]}).write_csv(tmp_path / "new.csv")
    output = tmp_path / "launch.parquet"
    code, out, err = call("--cold", tmp_path / "new.csv", "--output", output, "--histories", 12)
    assert code == 0, err
    assert "12 histories" in out
    assert "1 of 1 new items" in out
    assert "too few to learn from" in out
    events = pl.read_parquet(output)
    assert events.filter(pl.col("item_id") == "new")["user_id"].n_unique() == 12
    assert not (tmp_path / "w" / "generate" / "manifest.json").exists()


def test_told_as_json_and_laid_into_the_workspace(call, tmp_path):
    pl.DataFrame({"item_id": ["new"], "title": ["candle, tall"]}).write_csv(tmp_path / "new.csv")
    code, out, err = call("--cold", tmp_path / "new.csv", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["file"] == str(tmp_path / "w" / "cold" / "events.parquet")
    assert told["launches"]["learned_from"] == "no launches"
    assert pl.read_parquet(told["file"]).height == told["events"]


def test_faults_end_with_the_code_of_their_kind(call, tmp_path):
    code, _, err = call("--histories", 3)
    assert (code, "belongs to --cold" in err) == (2, True)
    code, _, err = call("--output", tmp_path / "a.csv")
    assert (code, "belongs to --cold or --cold-users" in err) == (2, True)
    code, _, err = call("--cold", "auto", "--cold-users", tmp_path / "a.csv")
    assert (code, "give one of them" in err) == (2, True)
    code, _, err = call("--cold-users", tmp_path / "none.csv")
    assert (code, "no such file" in err) == (2, True)
    code, _, err = call("--cold", tmp_path / "none.csv")
    assert (code, "no such file" in err) == (2, True)
    code, _, err = call("--cold", "auto", "--set", "privacy.mode=dp")
    assert (code, "cannot run in privacy mode dp" in err) == (3, True)


def test_without_new_items_it_is_the_stage(call):
    code, out, err = call()
    assert code == 0, err
    assert "generate" in out
