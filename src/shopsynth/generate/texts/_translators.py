"""Whoever translates: the programs of Apertium, or an engine that is given.

In: texts of one line in one language. Out: as many in another. Apertium is run as a program of its
own, without a shell, under a time limit.
"""

import shutil
import subprocess
from collections.abc import Sequence
from typing import Protocol

from shopsynth.schema import MissingExtraError, SourceError

_STOP = " ."
"""Ends every line: without it sentences run on into the next line, and lines change places."""

_BATCH = 2_000
"""Lines a call: two seconds of work, of which starting the programs takes a tenth."""


class Translator(Protocol):
    """Translates texts; a wrapper of ctranslate2 with OPUS-MT, or of a language model, is one."""

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Translate.

        Args:
            texts: Texts of one line, without line feeds.
            source: Language they are in, as the settings have it.
            target: Language wanted.

        Returns:
            One line a text, in order; an empty one for a text that it did not translate.
        """


class Apertium:
    """Apertium with the pairs of languages that are installed.

    Args:
        program: Name or path of ``apertium``.
        timeout_s: Longest a call may take.

    Raises:
        MissingExtraError: If the program is not installed.

    Source:
        Forcada et al., Apertium: a free/open-source platform for rule-based machine translation,
        Machine Translation 25, 2011.
    """

    def __init__(self, program: str = "apertium", *, timeout_s: float = 60.0) -> None:
        found = shutil.which(program)
        if found is None:
            raise MissingExtraError(
                "augment_text.back_translation: expected the program apertium, got none; install "
                "Debian's apertium and apertium-eng-spa, name the program's path, give an engine "
                "of your own (BackTranslation.by), or take back_translation off the edits"
            )
        self._program, self._timeout_s = found, timeout_s

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Translate; a text whose line comes back torn or joined to another is left empty.

        Raises:
            MissingExtraError: If the pair of languages is not installed.
            SourceError: If the program fails or takes too long.
        """
        made: list[str] = []
        for start in range(0, len(texts), _BATCH):
            made += self._lines(list(texts[start : start + _BATCH]), f"{source}-{target}")
        return made

    def _lines(self, texts: list[str], pair: str) -> list[str]:
        lines = self._run("".join(f"{text}{_STOP}\n" for text in texts), pair).split("\n")[:-1]
        if len(lines) == len(texts):
            return [_without_stop(line) for line in lines]
        if len(texts) == 1:
            return [""]
        # One text tears the lines: halves find it.
        half = len(texts) // 2
        return self._lines(texts[:half], pair) + self._lines(texts[half:], pair)

    def _run(self, text: str, pair: str) -> str:
        where = "augment_text.back_translation"
        # Without -u unknown words would come back with a star before them.
        command = [self._program, "-u", pair]
        try:
            done = subprocess.run(  # noqa: S603 - the program that was named, languages checked
                command,
                input=text.encode(),
                capture_output=True,
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SourceError(
                f"{where}: expected apertium to translate {text.count(chr(10))} lines in "
                f"{self._timeout_s:g} s, got none; set timeout_s higher, or give fewer texts"
            ) from error
        if done.returncode != 0 and b"does not exist" in done.stderr + done.stdout:
            raise MissingExtraError(
                f"{where}: expected the pair {pair} of apertium, got a program without it; install "
                "its package (apertium-eng-spa has eng-spa and spa-eng), or name languages that "
                "apertium -l lists"
            )
        if done.returncode != 0:
            raise SourceError(
                f"{where}: expected apertium {pair} to end with 0, got {done.returncode}; run it "
                "by hand on a line to see what it says"
            )
        return done.stdout.decode("utf-8", "replace")


def _without_stop(line: str) -> str:
    return line.strip().removesuffix(".").rstrip()
