"""Serving a cross-encoder: in 8 bits, without its least neurons, and what is lost."""

import numpy as np
import pytest

from fakes.search_shop import search_items, search_rows, search_split
from fakes.tiny_bert import save_tiny_bert
from shopsynth.schema import SourceError
from shopsynth.train import get_task, make_ranker
from shopsynth.train.relevance.serving import ServedCrossEncoder, pruned, quantised


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    bert = save_tiny_bert(tmp_path_factory.mktemp("b") / "t", search_items()["title"].to_list())
    split = search_split()
    options = {"model": str(bert), "max_length": 16, "learning_rate": 0.01, "dropout": 0.0}
    ranker = make_ranker("relevance", "cross_encoder", options)
    validation = get_task("relevance").holdout(split, "validation")
    return ranker.fit(search_rows(split.train), validation, seed=1, steps=20)


def predicted(model) -> np.ndarray:
    asked = get_task("relevance").holdout(search_split(), "test")
    return model.rank(asked.requests, k=1).frame["score"].to_numpy()


def test_eight_bits_say_nearly_the_same_in_a_quarter_of_the_memory(model):
    whole = predicted(model)
    served = quantised(model)
    assert predicted(served) == pytest.approx(whole, abs=0.25)
    assert (predicted(served) != whole).any()
    assert (predicted(model) == whole).all()
    plain = ServedCrossEncoder(model, int8=False, pruned=0.0)
    assert (predicted(plain) == whole).all()
    assert served.size_bytes() == pytest.approx(plain.size_bytes() / 4)


def test_the_neurons_of_the_smallest_weights_are_left_out(model):
    half = pruned(model, 0.5)
    dense = half._model.network_.encoder.encoder.layer[0].intermediate.dense
    whole = model.network_.encoder.encoder.layer[0]
    assert dense.weight.shape == (16, 32)
    value = whole.intermediate.dense.weight.norm(dim=1) * whole.output.dense.weight.norm(dim=0)
    kept = value.topk(16).indices.sort().values
    assert dense.weight.equal(whole.intermediate.dense.weight[kept])
    assert (predicted(pruned(model, 0.0)) == predicted(model)).all()
    assert np.isfinite(predicted(half)).all()


def test_what_is_served_is_kept(model, tmp_path):
    served = pruned(model, 0.25, int8=True)
    served.save(tmp_path)
    assert (predicted(ServedCrossEncoder.load(tmp_path)) == predicted(served)).all()
    (tmp_path / "serving.json").write_text("[]", encoding="utf-8")
    with pytest.raises(SourceError, match="expected how a cross-encoder is served"):
        ServedCrossEncoder.load(tmp_path)


def test_all_neurons_cannot_be_left_out(model):
    with pytest.raises(ValueError, match="from 0 to below 1"):
        pruned(model, 1.0)
