"""private_texts: a network that has read every review and remembers no one's words.

In: protected reviews, a network of ours with public weights, a public tokenizer. Out: the network's
weights after DP-SGD.
"""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.mechanisms.base import register
from shopsynth.privacy.mechanisms.dp_sgd import Schedule, refuse_unprovable, train_private
from shopsynth.privacy.mechanisms.private_training import next_token_loss, refuse_foreign_code
from shopsynth.privacy.noise import NoiseSource
from shopsynth.schema import Dataset, MissingExtraError, PrivacyError

if TYPE_CHECKING:
    from torch.nn import Module

_MOST_CHARACTERS = 20_000
"""Of a text that are read."""


@dataclass(frozen=True)
class PublicColumn:
    """A column that a text is told before it begins, with public values.

    Attributes:
        column: Its name, in ``reviews`` or, if they lack it, in ``items``.
        values: Texts or numbers; other cells count as unknown.
        first: Token of what is unknown; those of the values follow in order.
    """

    column: str
    values: pl.Series
    first: int


@register
@dataclass(frozen=True, eq=False)
class PrivateTexts:
    """Which weights predict the next piece of an average user's reviews well?

    The network maps tokens ``(texts, length)`` to logits ``(texts, length, n_tokens)``, causally.
    Token 0 is padding, 1 begins a text, 2 ends one; a text is its beginning, one token a public
    column, its pieces, its end. The loss is that of ``private_training``.

    **Proof.** That of :func:`train_private`: every step is one Gaussian mechanism of noise
    multiplier σ on users drawn with the public chance q. A user's tensors are a function of their
    own reviews, the public catalogue and a tokenizer that read nobody's text: which of their
    reviews are read is decided among their own. A review without a user is a user of its own, so
    what is protected of people without names is one review. The tokenizer is data, not code, and
    the layers are those that ``private_training`` takes.

    Attributes:
        module: The network at its public start weights; it is copied, never changed.
        schedule: How to train.
        pieces: The public tokenizer as the library tokenizers writes it, JSON.
        first_piece: Token of its first piece.
        columns: What texts are told.
        length: Tokens of a text at most, with all that is put around it.
        texts: Newest texts of a user that are read.

    Raises:
        PrivacyError: If the network is none that the proof holds for, or a number is below 1.
    """

    module: "Module"
    schedule: Schedule
    pieces: str
    first_piece: int
    columns: tuple[PublicColumn, ...]
    length: int
    texts: int

    def __post_init__(self) -> None:
        if self.length < len(self.columns) + 2 or self.texts < 1:
            raise PrivacyError(
                "private_texts: expected at least 1 text a user and a length beyond its "
                f"{len(self.columns) + 1} first tokens, got {self.texts} and {self.length}; mend "
                "the plan"
            )
        refuse_foreign_code(self.module)
        refuse_unprovable(self.module)

    def charge(self) -> Charge:
        """Say what the training costs; reads nothing."""
        return self.schedule.charge("private_texts: next piece")

    def answer(self, rows: Dataset, noise: NoiseSource) -> dict[str, NDArray[np.float32]]:
        """Train a copy of the network.

        Returns:
            Its parameters and buffers by name.
        """
        import torch

        network = copy.deepcopy(self.module)
        tokens = torch.from_numpy(self.encode(rows))
        train_private(network, next_token_loss, (tokens,), self.schedule, noise)
        return {name: part.cpu().numpy() for name, part in network.state_dict().items()}

    def encode(self, rows: Dataset) -> NDArray[np.int64]:
        """Write each user's newest reviews as tokens, ``(n_users, texts, length)``."""
        reviews = _newest(rows, self.texts)
        begun = np.ones((reviews.height, 1 + len(self.columns)), dtype=np.int64)
        for place, known in enumerate(self.columns, start=1):
            begun[:, place] = known.first + _levels(reviews[known.column], known.values)
        tokens = np.zeros((reviews.height, self.length), dtype=np.int64)
        tokens[:, : begun.shape[1]] = begun
        read = reviews["text"].cast(pl.String).fill_null("").str.head(_MOST_CHARACTERS).to_list()
        encoded = _tokenizer(self.pieces).encode_batch_fast(read, add_special_tokens=False)
        room = self.length - begun.shape[1]
        for row, one in zip(tokens, encoded, strict=True):
            ids = [*(piece + self.first_piece for piece in one.ids[:room]), 2][:room]
            row[begun.shape[1] : begun.shape[1] + len(ids)] = ids
        user = reviews["user"].rle_id().to_numpy()
        held = np.zeros((int(user[-1]) + 1 if user.size else 0, self.texts, self.length), np.int64)
        held[user, reviews["place"].to_numpy()] = tokens
        return held


def _newest(rows: Dataset, texts: int) -> pl.DataFrame:
    """Return each user's newest reviews with the facts of their items, by user.

    Returns:
        Also ``user``, and ``place`` among the user's own from 0, the newest first.
    """
    reviews = rows.need("reviews")
    by = ["timestamp"] if "timestamp" in reviews.columns else []
    own = pl.lit("review ") + pl.col("review_id")
    named = pl.lit("user ") + pl.col("user_id") if "user_id" in reviews.columns else pl.lit(None)
    items = rows.items.unique("item_id", keep="first", maintain_order=True)
    facts = [name for name in items.columns if name not in reviews.columns or name == "item_id"]
    return (
        reviews.with_columns(user=pl.coalesce(named.cast(pl.String), own))
        .sort(["user", *by, "review_id"], descending=[False, *(True for _ in by), True])
        .with_columns(place=pl.int_range(pl.len()).over("user"))
        .filter(pl.col("place") < texts)
        .join(items.select(facts), on="item_id", how="left", maintain_order="left")
    )


def _levels(cells: pl.Series, values: pl.Series) -> NDArray[np.int64]:
    """Return the place of each cell among public values from 1 on, 0 for others."""
    places = pl.Series(np.arange(1, values.len() + 1))
    cells = cells.cast(values.dtype, strict=False)
    found = cells.replace_strict(values, places, default=0, return_dtype=pl.Int64)
    return found.fill_null(0).to_numpy().astype(np.int64)


def _tokenizer(pieces: str) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError(
            "private_texts: expected the library tokenizers, got none; "
            "pip install 'shopsynth[text]'"
        ) from error
    return Tokenizer.from_str(pieces)
