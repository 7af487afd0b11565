"""A sentence model as a function from texts to vectors.

In: the model's folder or hub id. Out: a function. The library is loaded only here.
"""

from collections.abc import Callable
from typing import Any

from shopsynth.schema import MissingExtraError


def sentence_encoder(model: str, *, prompt: str = "") -> Callable[[list[str]], Any]:
    """Load a sentence model.

    Args:
        model: Folder or hub id.
        prompt: Put before every text; ``"query: "`` for the family of e5.

    Returns:
        Makes ``(n, dim)`` vectors of texts.

    Raises:
        MissingExtraError: If sentence-transformers is not installed.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "label filter: expected the library sentence-transformers, which is not installed; "
            "pip install 'shopsynth[text]', or score by GramScorer, which needs no model"
        ) from error
    loaded = SentenceTransformer(model)

    def encode(texts: list[str]) -> Any:
        return loaded.encode([prompt + text for text in texts], show_progress_bar=False)

    return encode
