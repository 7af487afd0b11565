"""How a text classifier learns: the log loss, mixed vectors, early stopping by macro-F1.

In: a network, texts with classes and weights. Out: the network, trained.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import log_softmax

from shopsynth.schema import InputError, Progress
from shopsynth.train.adapters import Adapters
from shopsynth.train.content._classifier import Classifier
from shopsynth.train.content._linear import macro_f1, row_weights
from shopsynth.train.content._rows import Labelled
from shopsynth.train.finetuning import (
    LONGEST_GRADIENT,
    decaying,
    learned_state,
    row_batches,
    set_dropout,
    share_of_rate,
)

if TYPE_CHECKING:
    from shopsynth.train.content.text_classifier import TextClassifierOptions

Integers = NDArray[np.int64]


class Tuning:
    """Training of one network.

    Args:
        options: Of ``text_classifier``.
        network: Changed in place.
        labelled: Texts with their classes and weights.
        steps: Optimiser steps to take exactly; ``None``: as the options say.
        rng: Draws the order, and how vectors are mixed.

    Attributes:
        n_steps: Optimiser steps taken.
    """

    def __init__(
        self,
        options: "TextClassifierOptions",
        network: Classifier,
        labelled: Labelled,
        steps: int | None,
        rng: np.random.Generator,
    ) -> None:
        self._options, self._network, self._rng = options, network, rng
        self._texts = labelled.texts.to_list()
        self._lengths = labelled.texts.str.len_chars().to_numpy().astype(np.int64)
        weights = row_weights(labelled, balanced=options.balanced)
        self._weights = torch.from_numpy((weights / weights.mean()).astype(np.float32))
        self._classes = torch.eye(labelled.classes.len())[torch.from_numpy(labelled.number)]
        n_planned = int(np.ceil(options.epochs * np.ceil(len(self._texts) / options.batch)))
        self._stops_early, self._most = steps is None, n_planned if steps is None else steps
        set_dropout(network, options.dropout)
        network.network.get_input_embeddings().weight.requires_grad_(options.word_vectors)
        self._adapters: Adapters | None = None
        if options.tuning != "full":
            self._adapters = Adapters(network.network, options.tuning, options.rank, self._most)
            network.wear(self._adapters.encoder)
        head = [
            {"params": [network.coef], "weight_decay": options.l2, "peak": options.head_rate},
            {"params": [network.intercept], "weight_decay": 0.0, "peak": options.head_rate},
        ]
        body = [
            group | {"peak": options.learning_rate}
            for group in decaying(network.network, options.l2)
        ]
        self._optimizer = torch.optim.AdamW([*body, *head])
        self.n_steps = 0

    def run(self, asked: Labelled | None, progress: Progress) -> None:
        """Train until ``asked`` is classified no better, or to the end; keep the best state.

        A given number of steps is taken in full, but looked at as often and keeps its best state
        too: a control that trains as long must not be held to a state no other arm would keep.

        Args:
            asked: ``None`` where there is nothing to stop by.
            progress: Listener.

        Raises:
            InputError: If the loss is no longer a finite number.
        """
        options, network = self._options, self._network
        progress.start("text_classifier", self._most)
        best, best_state, n_worse = (-np.inf, -np.inf), None, 0
        if asked is not None:
            best, best_state = self._judged(asked), learned_state(network)
        for rows in row_batches(self._lengths, options.batch, self._most, self._rng):
            network.train()
            self._step(rows)
            progress.advance()
            looks = self.n_steps == self._most or self.n_steps % options.evaluate_every == 0
            if asked is None or not looks:
                continue
            found = self._judged(asked)
            n_worse = 0 if found > best else n_worse + 1
            if found > best:
                best, best_state = found, learned_state(network)
            if self._stops_early and n_worse >= options.patience:
                break
        if best_state is not None:
            network.load_state_dict(best_state, strict=False)
        if self._adapters is not None:
            network.wear(self._adapters.merged())
        network.requires_grad_(True).eval()

    def _judged(self, asked: Labelled) -> tuple[float, float]:
        """Tell macro-F1 and, between equals, how likely the right classes were."""
        scores = torch.from_numpy(self._network.scores(asked.texts))
        known = np.flatnonzero(asked.number >= 0)
        shares = log_softmax(scores, dim=1).numpy()[known, asked.number[known]]
        likely = float(shares.mean()) if known.size else 0.0
        return macro_f1(asked.number, scores.numpy().argmax(axis=1)), likely

    def _step(self, rows: Integers) -> None:
        options, network = self._options, self._network
        vectors = network.vectors([self._texts[row] for row in rows])
        classes = self._classes[rows] * self._weights[rows].unsqueeze(1)
        if options.mixup:
            vectors, classes = self._mixed(vectors, classes)
        loss = -(classes * log_softmax(network.logits(vectors), dim=1)).sum() / classes.sum()
        if not torch.isfinite(loss):
            raise InputError(
                f"text_classifier: expected a finite loss, got {loss.item()} after {self.n_steps} "
                "steps; lower learning_rate in [train.options.text_classifier]"
            )
        if self._adapters is not None:
            loss = loss + self._adapters.penalty()
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.n_steps += 1
        torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
        share = share_of_rate(self.n_steps, self._most, options.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * share
        self._optimizer.step()
        if self._adapters is not None:
            self._adapters.stepped()

    def _mixed(self, vectors: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Move every text of a batch towards another one, its weighted class as far as its vector.

        Args:
            vectors: ``(text, dim)``.
            classes: ``(text, class)`` weights of classes.
        """
        n, alpha = len(vectors), self._options.mixup
        other = torch.from_numpy(self._rng.permutation(n))
        drawn = self._rng.beta(alpha, alpha, size=(n, 1))
        near = torch.from_numpy(np.maximum(drawn, 1.0 - drawn).astype(np.float32))
        return (
            near * vectors + (1.0 - near) * vectors[other],
            near * classes + (1.0 - near) * classes[other],
        )
