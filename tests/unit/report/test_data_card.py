"""The data card: valid terms, every file by its hash, and the guarantee as it is."""

import polars as pl
import pytest

from shopsynth.report import CardFile, SummaryPrivacy, data_card

DP = {
    "mode": "dp", "release": "5eed", "unit": "user", "epsilon": 0.71, "delta": 1e-6, "mu": 0.125,
    "audits": [],
    "mechanisms": [
        {"actor": "markov", "mechanism": "user_histogram: length", "kind": "gaussian",
         "noise_multiplier": 8.0, "count": 1, "sampling_rate": 1.0, "slack": 0.0, "epsilon": 0.71}
    ],
}  # fmt: skip

# Terms of the Croissant specification 1.0 and of its responsible-AI vocabulary that a data set may
# carry; `mlcroissant` 1.1.1 reads the cards of every format without an error. It needs pandas, so
# it is no dependency of these tests.
DATASET_TERMS = {
    "@context", "@type", "conformsTo", "name", "description", "license", "url", "creator",
    "datePublished", "version", "keywords", "isLiveDataset", "distribution", "recordSet",
    "prov:wasGeneratedBy", "rai:dataCollection", "rai:dataCollectionType",
    "rai:dataPreprocessingProtocol", "rai:personalSensitiveInformation", "rai:dataLimitations",
    "rai:dataUseCases",
}  # fmt: skip


@pytest.fixture
def make_card():
    def make(**changes):
        columns = {
            "user_id": pl.String(), "position": pl.Int64(), "price": pl.Float64(),
            "timestamp": pl.Datetime("us", "UTC"), "gift": pl.Boolean(),
        }  # fmt: skip
        return data_card(
            SummaryPrivacy.model_validate({**DP, **changes}),
            [
                CardFile("events.parquet", "aa" * 32, 1234, columns, "events", 50),
                CardFile("label.json", "bb" * 32, 99, {}),
            ],
            [{"synthesizer": "markov", "seed": 7, "config_sha256": "c0ffee", "rows": 50}],
            created="2026-11-30T09:00:00Z", version="0.1.0",
        )  # fmt: skip

    return make


def test_every_term_is_one_of_the_vocabulary_and_every_prefix_is_declared(make_card):
    card = make_card()
    assert set(card) == DATASET_TERMS
    assert {key.partition(":")[0] for key in card if ":" in key} <= set(card["@context"])
    assert card["conformsTo"][0] == "http://mlcommons.org/croissant/1.0"


def test_files_come_with_hash_size_and_format(make_card):
    table, label = make_card()["distribution"]
    assert table == {
        "@type": "cr:FileObject", "@id": "events.parquet", "name": "events.parquet",
        "contentUrl": "events.parquet", "contentSize": "1234 B",
        "encodingFormat": "application/x-parquet", "sha256": "aa" * 32,
    }  # fmt: skip
    assert label["encodingFormat"] == "application/json"


def test_only_tables_have_records_whose_fields_name_their_column_and_type(make_card):
    (records,) = make_card()["recordSet"]
    assert records["description"] == "50 rows: synthetic"
    assert {field["name"]: field["dataType"] for field in records["field"]} == {
        "user_id": "sc:Text", "position": "sc:Integer", "price": "sc:Float",
        "timestamp": "sc:DateTime", "gift": "sc:Boolean",
    }  # fmt: skip
    assert records["field"][0]["source"] == {
        "fileObject": {"@id": "events.parquet"}, "extract": {"column": "user_id"},
    }  # fmt: skip


def test_the_card_tells_guarantee_mechanisms_seeds_and_what_is_not_protected(make_card):
    card = make_card()
    assert "(ε = 0.71, δ = 1e-06)" in card["description"]
    promise, paid = card["rai:dataPreprocessingProtocol"]
    assert promise in card["description"]
    assert paid == "markov: user_histogram: length (gaussian, noise multiplier 8, 1 times)"
    assert "seed 7" in card["prov:wasGeneratedBy"][0]["description"]
    assert "several accounts" in card["rai:dataLimitations"][0]
    assert "No licence is granted" in card["license"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("deidentify", "still personal data"),
        ("public", "declared to hold no personal data"),
        ("dp", "bounded by the guarantee"),
        ("unsafe_nonprivate", "treat every row as personal data"),
    ],
)
def test_the_card_says_of_each_mode_what_the_rows_are(make_card, mode, told):
    card = make_card(mode=mode)
    assert told in card["rai:personalSensitiveInformation"][0]
    assert ("ε" in card["description"]) == (mode == "dp")
