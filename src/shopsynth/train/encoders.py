"""Encoders of texts: BERT-like networks whose tokens are pooled into one vector.

In: the name of a model and texts. Out: vectors. Weights come from a package, a folder or a hub;
they are never a pickle, and no code that comes with them runs. All tasks that read texts load their
encoders here.
"""

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import polars as pl

from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text.encoders import ENCODERS, encoder_place, usual_prompts
from shopsynth.text.weights import weights_named
from shopsynth.train.ranks import Floats

if TYPE_CHECKING:
    from torch import Tensor

_BATCH = 64
"""Texts encoded at once."""

_POOLINGS = ("mean", "cls")
_FACTS = "encoder.json"


Kind = Literal["query", "passage", "plain"]
"""What a text is to an encoder: it may want a prompt before a query or a passage."""

Prompts = tuple[str, str]
"""Before a query, and before a passage."""


class Encoder:
    """A network, its tokenizer and how its tokens become one vector.

    Attributes:
        network: A transformers model.
        tokenizer: The tokenizer of its words.
        pooling: ``mean`` of the tokens, or ``cls``, the first of them.
        prompts: What it wants before a query, and before a passage.
        max_length: Tokens of a text that are read.
        bfloat16: Multiply matrices in half the bits; weights stay float32.
    """

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        pooling: str,
        prompts: Prompts,
        max_length: int,
        *,
        bfloat16: bool,
    ) -> None:
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.prompts = prompts
        self.max_length = max_length
        self.bfloat16 = bfloat16

    def check(self, name: str) -> None:
        """Refuse a tokenizer whose numbers the network does not know.

        Raises:
            SourceError: If it has more words than the network has rows.
        """
        n_words, n_rows = len(self.tokenizer), self.network.get_input_embeddings().num_embeddings
        if n_words > n_rows:
            raise SourceError(
                f"embedding model {name!r}: expected a tokenizer of at most {n_rows} words, as the "
                f"weights have, got {n_words}; take tokenizer and weights of one model"
            )

    def copy(self, *, words: bool) -> Self:
        """Return one whose network can be trained apart from this one's.

        Args:
            words: Whether the word vectors are to be trained; otherwise both have the same, which
                are most of the weights of a network of many languages.
        """
        word_vectors = self.network.get_input_embeddings().weight
        shared = {} if words else {id(word_vectors): word_vectors}
        return type(self)(
            copy.deepcopy(self.network, shared),
            self.tokenizer,
            self.pooling,
            self.prompts,
            self.max_length,
            bfloat16=self.bfloat16,
        )

    def vectors(
        self, texts: list[str], kind: Kind = "plain", *, normalize: bool = True
    ) -> "Tensor":
        """Encode texts, with gradients where they are on: ``(text, dim)``."""
        import torch

        prompt = self._prompt(kind)
        words = self.tokenizer(
            [prompt + text for text in texts],
            padding=True,
            truncation=True,
            max_length=self.max_length,
            return_tensors="pt",
        )
        with torch.autocast("cpu", torch.bfloat16, self.bfloat16):
            states = self.network(**words).last_hidden_state.float()
        if self.pooling == "cls":
            pooled = states[:, 0]
        else:
            kept = words["attention_mask"].unsqueeze(-1).float()
            pooled = (states * kept).sum(1) / kept.sum(1).clamp(min=1.0)
        return torch.nn.functional.normalize(pooled, dim=1) if normalize else pooled

    def encode(
        self, texts: "Sequence[str] | pl.Series", kind: Kind = "plain", *, normalize: bool = True
    ) -> Floats:
        """Encode texts without gradients, equal ones once and like lengths together.

        Args:
            texts: Without nulls.
            kind: What they are: the encoder's prompt for it is put before each.
            normalize: Whether vectors have length 1.

        Returns:
            ``(text, dim)`` float32.
        """
        import torch

        given = pl.Series(texts, dtype=pl.String)
        distinct = given.unique().sort()
        distinct = distinct.gather(distinct.str.len_chars().arg_sort())
        said = distinct.to_list()
        with torch.inference_mode():
            parts = [
                self.vectors(said[start : start + _BATCH], kind, normalize=normalize).numpy()
                for start in range(0, len(said), _BATCH)
            ]
        if not parts:
            return np.zeros((0, self.network.config.hidden_size), dtype=np.float32)
        place = given.replace_strict(
            distinct, pl.int_range(distinct.len(), eager=True), return_dtype=pl.Int64
        )
        vectors: Floats = np.concatenate(parts)[place.to_numpy()]
        return vectors

    def _prompt(self, kind: Kind) -> str:
        return {"query": self.prompts[0], "passage": self.prompts[1], "plain": ""}[kind]

    def save(self, folder: Path) -> None:
        """Write all but the weights: configuration and tokenizer, as JSON."""
        with quiet():
            self.network.config.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        facts = {"pooling": self.pooling, "prompts": self.prompts}
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    def weights(self, prefix: str, unlike: Self | None = None) -> dict[str, np.ndarray]:
        """Return the weights by name; without those that another encoder has in the same place."""
        others = {} if unlike is None else unlike.network.state_dict()
        return {
            prefix + name: value.detach().numpy()
            for name, value in self.network.state_dict().items()
            if name not in others or value.data_ptr() != others[name].data_ptr()
        }

    @classmethod
    def load(
        cls, folder: Path, weights: dict[str, np.ndarray], max_length: int, *, bfloat16: bool
    ) -> Self:
        """Read what :meth:`save` wrote and take these weights.

        Raises:
            MissingExtraError: If transformers is not installed.
            SourceError: If the files are damaged or the weights are another network's.
        """
        import torch

        encoder_library()
        library = import_module("transformers")
        try:
            facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            pooling, (before_query, before_passage) = facts["pooling"], facts["prompts"]
            with quiet():
                config = library.AutoConfig.from_pretrained(folder, local_files_only=True)
                tokenizer = library.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            network = library.AutoModel.from_config(config)
            network.load_state_dict({key: torch.from_numpy(part) for key, part in weights.items()})
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise SourceError(
                f"{folder}: expected a saved encoder; reading it failed ({type(error).__name__}). "
                "Train the model again."
            ) from error
        prompts = (before_query, before_passage)
        return cls(network, tokenizer, pooling, prompts, max_length, bfloat16=bfloat16)


def in_half_bits(precision: str) -> bool:
    """Tell whether to multiply in bfloat16: it is asked for, and the processor has instructions.

    Without them it is done in software, sixty times slower than float32 (measured on an AMD
    processor with AVX2 alone). A torch that cannot say what the processor has is believed.
    """
    import torch

    if precision != "bfloat16":
        return False
    tell = getattr(torch.cpu, "get_capabilities", None)
    return tell is None or any(has for name, has in tell().items() if "bf16" in name)


def load_encoder(
    name: str,
    *,
    max_length: int = 128,
    bfloat16: bool = False,
    query_prompt: str | None = None,
    item_prompt: str | None = None,
) -> Encoder:
    """Load a pretrained encoder.

    Args:
        name: A model that a package ships (``minilm``, ``e5-small``), a folder, or a name on the
            hub.
        max_length: Tokens of a text that are read.
        bfloat16: Multiply matrices in half the bits.
        query_prompt: Before a query; ``None`` for what the model wants.
        item_prompt: Before a passage; ``None`` for what the model wants.

    Raises:
        MissingExtraError: If sentence-transformers, or the package with the weights, is not
            installed.
        SourceError: If there is no such model, the hub cannot be reached, or what is there is no
            encoder of texts with safetensors weights and a tokenizer that fits them.
    """
    library = encoder_library()
    place = encoder_place(name)
    try:
        with quiet():
            loaded = library.SentenceTransformer(
                place, device="cpu", model_kwargs={"use_safetensors": True}
            )
    except Exception as error:  # the libraries raise anything at all
        raise SourceError(
            f"embedding model {name!r}: expected a folder or a name on a hub that can be reached, "
            f"with safetensors weights; loading failed ({type(error).__name__}). Without a "
            f"network: shopsynth models add {ENCODERS[0]}, then model = {ENCODERS[0]!r}; packages "
            f"ship {', '.join(f'{each} ({weights_named(each).role})' for each in ENCODERS)}. Or "
            "give the path of a folder."
        ) from error
    network, pooling = loaded[0].model, _pooling(loaded)
    if pooling not in _POOLINGS:
        raise SourceError(
            f"embedding model {name!r}: expected pooling by {' or '.join(_POOLINGS)} and no "
            "further layers, got something else; choose another model"
        )
    usual = _prompts(loaded, name)
    prompts = (
        usual[0] if query_prompt is None else query_prompt,
        usual[1] if item_prompt is None else item_prompt,
    )
    encoder = Encoder(network, loaded.tokenizer, pooling, prompts, max_length, bfloat16=bfloat16)
    encoder.check(name)
    return encoder


def encoder_library() -> Any:
    """Import ``sentence_transformers``, or raise a MissingExtraError that names the extra."""
    try:
        return import_module("sentence_transformers")
    except ImportError as error:
        raise MissingExtraError(
            "encoder of texts: expected the library sentence-transformers, got none; install it "
            "with pip install 'shopsynth[text]'"
        ) from error


def _pooling(loaded: Any) -> str:
    """Name how a loaded model pools; empty where it does more than pool and normalise."""
    kinds = [type(module).__name__ for module in loaded]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]):
        return ""
    mode = loaded[1].pooling_mode
    return str(mode if isinstance(mode, str) else "+".join(mode))


def _prompts(loaded: Any, name: str) -> Prompts:
    """Read the prompts that a model names itself, or know them by the model's name."""
    own = loaded.prompts or {}
    query = own.get("query", "")
    passage = next((own[key] for key in ("document", "passage", "corpus") if own.get(key)), "")
    return (query, passage) if query or passage else usual_prompts(name)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' progress bars off the terminal."""
    logging = import_module("transformers").utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
