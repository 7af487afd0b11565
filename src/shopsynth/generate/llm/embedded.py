"""A language model of this machine: llama.cpp's server on loopback, for tests and first steps.

In: the name of a model that a package ships, or a GGUF file. Out: the settings of an endpoint that
answers as long as the block lasts. Not for judgements: 135 million parameters write plausible short
queries in English, and label at random.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from shopsynth.generate.llm.endpoint import EndpointSettings
from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text.weights import WEIGHTS, weights_path

_CONTEXT_TOKENS = 2048
"""A request at a time: a product, its instruction and an answer take a few hundred."""

_QUIET = -1


@contextmanager
def embedded_endpoint(
    model: str = "smollm2", *, concurrency: int = 1, threads: int = 1, timeout_s: float = 300.0
) -> Iterator[EndpointSettings]:
    """Start a server on a free port of loopback, and stop it at the end of the block.

    Any program on this machine may ask it too; none can read what others asked.

    Args:
        model: A name such as ``smollm2``, or the path of a GGUF file that you trust.
        concurrency: Requests answered at once; each takes its share of the threads.
        threads: Threads that compute. On busy cores one is fastest.
        timeout_s: Longest wait for one answer.

    Yields:
        Settings for :func:`shopsynth.generate.llm.ask_all`.

    Raises:
        MissingExtraError: If the server or the weights are not installed.
        SourceError: If the file cannot be loaded.
    """
    if find_spec("xllamacpp") is None:
        raise MissingExtraError(
            f"embedded language model {model}: expected the package xllamacpp, got none; "
            "pip install 'shopsynth[llm]', or set base_url to an endpoint of your own"
        )
    file = weights_path(model) if model in WEIGHTS else Path(model)
    if not file.is_file():
        raise SourceError(
            f"embedded language model: expected one of {', '.join(sorted(WEIGHTS))} or a GGUF "
            f"file, got {model}; nothing is fetched from a model hub"
        )
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(file)
    wanted.model_alias = {file.stem}
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = 0  # Any free one.
    wanted.n_parallel = concurrency
    wanted.n_ctx = _CONTEXT_TOKENS * concurrency
    wanted.cpuparams.n_threads = threads
    wanted.cpuparams_batch.n_threads = threads
    wanted.offline = True
    wanted.ui = False
    # It would show every prompt to whoever asks on this machine.
    wanted.endpoint_slots = False
    wanted.verbosity = _QUIET
    try:
        server = xllamacpp.Server(wanted)
    except RuntimeError as error:
        raise SourceError(
            f"embedded language model {file.name}: expected a GGUF file that llama.cpp loads, got "
            "none; see that the file is whole and that there is memory for it"
        ) from error
    try:
        yield EndpointSettings(
            base_url=f"{server.listening_address}/v1",
            model=file.stem,
            concurrency=concurrency,
            timeout_s=timeout_s,
        )
    finally:
        # The server ends with the last reference to it.
        del server
