"""A small shop with attributes, searches and reviews, and a writer that says what a test wants."""

import json
from contextlib import contextmanager

import polars as pl
import pytest

from fakes.fake_llm import FakeLLM
from fakes.fake_writer import record_of, write_well
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset

ITEMS = pl.DataFrame(
    [
        ("i1", "Red ceramic mug 300 ml", "Acme", "kitchen > mugs", "red", 0.4),
        ("i2", "Blue ceramic mug 300 ml", "Acme", "kitchen > mugs", "blue", 0.4),
        ("i3", "Blue ceramic mug 500 ml", "Borea", "kitchen > mugs", "blue", 0.6),
        ("i4", "Steel kettle 1.5 l", "Borea", "kitchen > kettles", None, 1.2),
        ("i5", "Rack for mug and cup", "Acme", "kitchen > racks", None, 0.8),
        ("i6", "Blue ceramic bowl 300 ml", "Acme", "kitchen > bowls", "blue", 0.5),
    ],
    schema=["item_id", "title", "brand", "category", "colour", "weight_kg"],
    orient="row",
)


@pytest.fixture
def items():
    return ITEMS


@pytest.fixture
def view_of():
    """Build a view in a mode, of the shop or of other items."""

    def build(items=ITEMS, mode="public", **tables):
        data = Dataset(items=items, **tables)
        return PrivateView(data, mode=mode, fingerprint="f" * 64, max_events_per_user=8)

    return build


@pytest.fixture
def served(tmp_path):
    """Serve a writer: ``with served(answer) as (fake, options)``; ``answer`` gets record, body."""

    @contextmanager
    def serve(answer=None, endpoint=None, **more):
        def words(body):
            told = None if answer is None else answer(record_of(body), body)
            return (
                write_well(body)
                if told is None
                else told
                if isinstance(told, str)
                else json.dumps(told)
            )

        with FakeLLM(answer=words, **more) as fake:
            settings = {"base_url": fake.base_url, "model": "fake-writer", **(endpoint or {})}
            yield fake, {"endpoint": settings, "answers": str(tmp_path / "answers")}

    return serve


@pytest.fixture
def reasons():
    """Count the reasons of rejects."""

    def count(rejects):
        return dict(sorted(rejects["reason"].value_counts().iter_rows()))

    return count
