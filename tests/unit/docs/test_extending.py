"""The page on extending: its synthesizer, its test and its cleaner do what the page says."""

import runpy

import polars as pl
import pytest

from shopsynth.clean import CLEANERS, CleanSettings, clean_dataset
from shopsynth.generate import SYNTHESIZERS
from shopsynth.schema import Dataset


@pytest.fixture
def blocks(code):
    found = [text for page, text in code("python") if page == "docs/extending.md"]
    assert len(found) == 3
    return found


@pytest.fixture
def crossover(root):
    """The example's synthesizer, registered for one test."""
    yield runpy.run_path(str(root / "examples" / "03_add_a_synthesizer.py"))["Crossover"]
    del SYNTHESIZERS._classes["crossover"]


def test_the_page_shows_the_example(blocks, root):
    example = (root / "examples" / "03_add_a_synthesizer.py").read_text(encoding="utf-8")
    assert blocks[0] == example


def test_the_test_on_the_page_passes(blocks, crossover):
    names: dict[str, object] = {}
    exec(compile(blocks[1], "docs/extending.md", "exec"), names)  # noqa: S102 - our own page
    (test,) = (thing for name, thing in names.items() if name.startswith("test_"))
    test(crossover)  # type: ignore[operator]


def test_the_synthesizer_keeps_the_four_rules(crossover):
    from shopsynth.generate import make_synthesizer
    from shopsynth.privacy import PrivacySettings, open_view
    from shopsynth.schema import InputError, PrivacyError

    users = [f"u{number // 5}" for number in range(50)]
    events = pl.DataFrame(
        {"user_id": users, "item_id": [f"i{n % 7}" for n in range(50)], "position": range(50)}
    )
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(7)]})
    view, _ = open_view(
        Dataset(items=items, events=events),
        PrivacySettings(mode="deidentify"),
        key=b"sixteen bytes or more",
    )
    method = make_synthesizer("crossover", {}).fit(view, seed=1)
    first, again, other = (method.sample(8, seed=seed).data.need("events") for seed in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)
    assert first["user_id"].n_unique() == 8
    assert not set(first["user_id"]) & set(view.rows.need("events")["user_id"])
    assert set(first["item_id"]) <= set(items["item_id"])
    with pytest.raises(InputError, match="at least 1 user"):
        method.sample(0, seed=1)
    with pytest.raises(PrivacyError, match="expected a PrivateView"):
        make_synthesizer("crossover", {}).fit(view.rows, seed=1)  # type: ignore[arg-type]


def test_the_cleaner_on_the_page_rejects_what_costs_nothing(blocks, request):
    request.addfinalizer(lambda: CLEANERS._classes.pop("no_samples"))
    exec(compile(blocks[2], "docs/extending.md", "exec"), {})  # noqa: S102 - our own page
    items = pl.DataFrame({"item_id": ["a", "b", "c"], "price": [0.0, 2.0, None]})
    settings = CleanSettings(cleaners=(*CleanSettings().cleaners, "no_samples"))
    shop, rejects = clean_dataset(Dataset(items), settings)
    assert shop.items["item_id"].to_list() == ["b", "c"]
    assert rejects.select("table", "reason").rows() == [("items", "free_sample")]
