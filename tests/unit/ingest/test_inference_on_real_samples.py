"""The same on real public samples, where they lie beside the repository."""

import os
from pathlib import Path

import pytest

from shopsynth.ingest import infer_shop, read_shop

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("SHOPSYNTH_DATA", ROOT.parent / "shared" / "data"))

pytestmark = [pytest.mark.needs_data]

CASES = {
    "online-retail-uci": ({"items": 13_617, "events": 240_007}, "purchase", r"^\d{5}"),
    "olist-10k": ({"items": 6_123, "events": 11_252}, "purchase", None),
    "adventureworks-lt": ({"items": 295, "users": 847, "events": 542}, "purchase", None),
    "amazon-grocery-rechorus": ({"items": 8_713, "events": 121_892}, None, None),
    "taobao-ecomm-11day": ({"items": 36_224, "users": 1_500, "events": 85_213}, None, None),
    "womens-clothing-reviews": ({"items": 1_207, "reviews": 23_486}, None, None),
    "homedepot-search": ({"items": 43_340, "queries": 8_829, "judgments": 55_452}, None, None),
    "amazon-giftcards": ({"items": 1_547, "events": 2_972}, None, None),
    "fashion-products": ({"items": 41_174}, None, None),
}


@pytest.mark.parametrize("name", CASES)
def test_a_real_sample_is_understood_and_read(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"the sample {name} is not here; set SHOPSYNTH_DATA to the folder that has it")
    counts, event_type, pattern = CASES[name]
    found = infer_shop([name], DATA)
    data, rejects = read_shop(found.shop, DATA)
    assert data.counts() == counts
    assert rejects.height == 0
    assert (found.event_type, found.item_id_pattern) == (event_type, pattern)
