"""Pieces of words as a shop writes them: byte-level BPE trained on its own texts.

In: texts. Out: each text as numbers of pieces, and numbers as text again. Needs the library
tokenizers.

Every text has an encoding, whatever its script, because 256 pieces are the bytes themselves. A
text never becomes a special token, not even one that spells its name: specials are numbers below
those of the pieces, and only code puts them in.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import InputError, MissingExtraError, SourceError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

OWN_SPECIALS = ("<pad>", "<bos>", "<eos>", "<mask>")
"""Specials that every tokenizer has, numbered from 0."""

MOST_CHARACTERS = 20_000
"""Characters of a text that are read, in training and in encoding; what comes after is cut."""

N_BYTES = 256
_VERSION = 1


_UNSEEN = r"[[\p{Cc}\p{Cf}]--[\t\n\r\x{200c}\x{200d}]]"
"""Control and format characters but blanks and the joiners of emoji and of Persian."""


@dataclass(frozen=True)
class ShopTokenizer:
    """Text to numbers and back.

    Attributes:
        specials: Names of all specials, :data:`OWN_SPECIALS` first; each name's place is its
            number.

    Source:
        Byte-pair encoding: Sennrich et al., ACL 2016, arXiv 1508.07909; on bytes, Radford et al.,
        GPT-2, 2019.

    Example:
        >>> import polars as pl
        >>> texts = pl.Series(["red cup", "red mug 红色"])
        >>> tokenizer = ShopTokenizer.train(texts, vocabulary=280, specials=["<rating=5>"])
        >>> tokenizer.decode(tokenizer.encode(texts))
        ['red cup', 'red mug 红色']
        >>> tokenizer.id_of("<rating=5>"), tokenizer.pad, tokenizer.mask
        (4, 0, 3)
    """

    specials: tuple[str, ...]
    _pieces: "Tokenizer"

    @classmethod
    def train(cls, texts: pl.Series, *, vocabulary: int, specials: Sequence[str] = ()) -> Self:
        """Learn which bytes stand together; the same texts give the same pieces.

        Args:
            texts: Of the shop; nulls and all beyond :data:`MOST_CHARACTERS` are not read.
            vocabulary: Most tokens in all: specials, 256 bytes and pieces. Few texts give fewer.
            specials: Names of control tokens beside the tokenizer's own.

        Raises:
            InputError: If ``vocabulary`` has no room for bytes and specials, or names repeat.
            MissingExtraError: If the library tokenizers is not installed.
        """
        library = _load_library()
        names = (*OWN_SPECIALS, *specials)
        if len(set(names)) < len(names):
            raise InputError(
                "ShopTokenizer.train: expected specials with names of their own, got repeated ones "
                f"or one of {', '.join(OWN_SPECIALS)}; name each special once"
            )
        least = len(names) + N_BYTES
        if vocabulary < least:
            raise InputError(
                f"ShopTokenizer.train: expected a vocabulary of at least {least} tokens ("
                f"{N_BYTES} bytes, {len(names)} specials), got {vocabulary}; raise it"
            )
        pieces = library.Tokenizer(library.models.BPE())
        pieces.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        pieces.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=vocabulary - len(names),
            min_frequency=2,
            initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        pieces.train_from_iterator(_read(texts), trainer)
        return cls(names, pieces)

    @property
    def pad(self) -> int:
        """Number of what fills short rows."""
        return 0

    @property
    def bos(self) -> int:
        """Number of what stands before a text."""
        return 1

    @property
    def eos(self) -> int:
        """Number of what ends a text."""
        return 2

    @property
    def mask(self) -> int:
        """Number of what hides a piece."""
        return 3

    @property
    def n_specials(self) -> int:
        """How many numbers, from 0, are specials."""
        return len(self.specials)

    @property
    def n_tokens(self) -> int:
        """How many numbers there are."""
        return len(self.specials) + int(self._pieces.get_vocab_size())

    def id_of(self, special: str) -> int:
        """Return the number of a special.

        Raises:
            InputError: If there is no special of the name.
        """
        if special not in self.specials:
            raise InputError(
                f"ShopTokenizer.id_of: expected one of {len(self.specials)} specials, got another "
                "name; name it in train"
            )
        return self.specials.index(special)

    def encode(self, texts: pl.Series) -> list[NDArray[np.int32]]:
        """Write texts as numbers, without any special; nulls are empty texts.

        Only the first :data:`MOST_CHARACTERS` characters of a text are read.
        """
        encoded = self._pieces.encode_batch_fast(_read(texts), add_special_tokens=False)
        n_specials = np.int32(len(self.specials))
        return [np.asarray(one.ids, dtype=np.int32) + n_specials for one in encoded]

    def decode(self, ids: Sequence[NDArray[np.integer]]) -> list[str]:
        """Write numbers as texts; specials are left out.

        Bytes that are no UTF-8, as a model may put beside each other, become U+FFFD.
        """
        n_specials = len(self.specials)
        pieces = [(one[one >= n_specials] - n_specials).tolist() for one in map(np.asarray, ids)]
        texts: list[str] = self._pieces.decode_batch(pieces, skip_special_tokens=False)
        return texts

    def written(self, ids: Sequence[NDArray[np.integer]]) -> pl.Series:
        """Write numbers as texts for a table: as :meth:`decode`, without what nobody can see.

        Bytes that nobody put beside each other may make a control character that no text had.
        """
        texts = pl.Series("text", self.decode(ids), dtype=pl.String)
        return texts.str.replace_all(_UNSEEN, "")

    def spelled(self) -> list[bytes]:
        """Return each token's bytes, by number; nothing for specials."""
        characters = _byte_characters()
        spelled = [b""] * self.n_tokens
        for piece, place in self._pieces.get_vocab().items():
            spelled[place + len(self.specials)] = bytes(characters[sign] for sign in piece)
        return spelled

    def pieces_json(self) -> str:
        """Write the pieces alone, as the library tokenizers reads them."""
        return str(self._pieces.to_str())

    def to_json(self) -> str:
        """Write all that the tokenizer is."""
        return json.dumps(
            {
                "version": _VERSION,
                "specials": self.specials,
                "pieces": json.loads(self._pieces.to_str()),
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises:
            SourceError: If it wrote something else.
            MissingExtraError: If the library tokenizers is not installed.
        """
        library = _load_library()
        try:
            told = json.loads(text)
            if told["version"] != _VERSION or told["specials"][:4] != list(OWN_SPECIALS):
                raise ValueError("another version")
            # The library tells of a bad file by a bare Exception.
            pieces = library.Tokenizer.from_str(json.dumps(told["pieces"]))
        except Exception as error:
            raise SourceError(
                "ShopTokenizer.from_json: expected what to_json of this version wrote; reading it "
                f"failed ({type(error).__name__}). Train the tokenizer again."
            ) from error
        return cls(tuple(told["specials"]), pieces)


def _read(texts: pl.Series) -> list[str]:
    cut: list[str] = texts.cast(pl.String).fill_null("").str.head(MOST_CHARACTERS).to_list()
    return cut


def _byte_characters() -> dict[str, int]:
    """Map the characters by which byte-level BPE writes bytes to those bytes.

    Bytes that Latin-1 prints stand for themselves; the others follow from U+0100 on.
    """
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(N_BYTES) if byte not in set(printed)]
    return {chr(byte): byte for byte in printed} | {
        chr(N_BYTES + place): byte for place, byte in enumerate(others)
    }


def _load_library() -> Any:
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError as error:
        raise MissingExtraError(
            "ShopTokenizer: expected the library tokenizers, got none; "
            "pip install 'shopsynth[text]'"
        ) from error
    return tokenizers
