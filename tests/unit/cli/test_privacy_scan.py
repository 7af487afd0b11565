"""``shopsynth privacy scan``: a gate that never prints what it found."""

import json
import sys

import pytest

from shopsynth.cli.main import main

SECRETS = ("13812345678", "ann@mail.example", "张伟")


@pytest.fixture
def call(capsys, monkeypatch):
    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["shopsynth", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def dirty(tmp_path):
    file = tmp_path / "reviews.csv"
    file.write_text(f"id,review\n1,打给{SECRETS[0]}\n2,mail {SECRETS[1]}\n3,收件人：{SECRETS[2]}\n")
    return file


def test_findings_end_with_three_and_are_never_printed(call, dirty):
    for words in ((), ("--json",), ("--json", "--most", 1), ("--quiet",)):
        code, out, err = call("privacy", "scan", dirty, *words)
        assert code == 3
        assert not any(secret[:4] in out + err for secret in SECRETS)
    code, out, _ = call("privacy", "scan", dirty, "--json")
    facts = json.loads(out)
    assert [(each["column"], each["row"], each["kind"]) for each in facts["found"]] == [
        ("review", 1, "PHONE"),
        ("review", 2, "EMAIL"),
        ("review", 3, "NAME"),
    ]
    assert facts["findings"] == 3


def test_a_clean_file_ends_with_zero_and_is_no_proof(call, tmp_path):
    file = tmp_path / "titles.txt"
    file.write_text("白色连衣裙\nCalvin Klein boxer\n")
    code, out, _ = call("privacy", "scan", file)
    assert code == 0
    assert "no proof" in out


def test_brands_and_names_can_be_chosen(call, tmp_path):
    file, brands = tmp_path / "titles.txt", tmp_path / "brands.txt"
    file.write_text("shoes by Anna Field\n")
    brands.write_text("Anna Field\n")
    assert call("privacy", "scan", file)[0] == 3
    assert call("privacy", "scan", file, "--brands", brands)[0] == 0
    assert call("privacy", "scan", file, "--names", "off")[0] == 0


def test_bad_input_ends_with_two(call, tmp_path, dirty):
    assert call("privacy", "scan", tmp_path / "none.csv")[0] == 2
    assert call("privacy", "scan", dirty, "--names", "guess")[0] == 2
    (tmp_path / "a.csv").write_bytes(b"PK\x03\x04")
    code, out, _ = call("privacy", "scan", tmp_path / "a.csv", "--json")
    assert (code, json.loads(out)["error"]) == (2, "SourceError")
    (tmp_path / "brands.xls").write_bytes(b"\xd0\xcf\x11\xe0\x00\x9d")
    code, _, err = call("privacy", "scan", dirty, "--brands", tmp_path / "brands.xls")
    assert code == 2
    assert "brands.xls" in err
    assert call("privacy", "scan", dirty, "--brands", tmp_path)[0] == 2


def test_what_is_left_out_is_told(call, tmp_path):
    import polars as pl

    file = tmp_path / "a.parquet"
    pl.DataFrame({"n": [1], "text": ["ok"]}).write_parquet(file)
    assert "Not looked at, no text: n." in call("privacy", "scan", file)[1]
    broken = tmp_path / "b.jsonl"
    broken.write_text('{"a": "x"}\n{"a": \n')
    assert "1 rows are no rows" in call("privacy", "scan", broken)[1]
