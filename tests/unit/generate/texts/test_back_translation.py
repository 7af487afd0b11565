"""There and back: spans come back or the text stays, and whoever fails is told."""

import shutil

import polars as pl
import pytest

from fakes.small_apertium import small_apertium
from fakes.span_lines import BRANDS, LINES
from shopsynth.generate.texts import augment_text
from shopsynth.generate.texts.back_translation import BackTranslation, BackTranslationOptions
from shopsynth.schema import InputError, MissingExtraError, RecipeError, SourceError


class Engine:
    """Sends what a function makes of a text back, and keeps what it was sent."""

    def __init__(self, back, there=lambda text: text):
        self.ways = {"there": there, "back": back}
        self.sent: list[str] = []

    def translate(self, texts, source, target):
        self.sent += texts if target == "pivot" else []
        return [self.ways["there" if target == "pivot" else "back"](text) for text in texts]


def variants(texts, engine=None, phrases=(), **options):
    if engine is not None:
        edit = BackTranslation.by(engine, language="own", pivot="pivot", **options)
    else:
        edit = BackTranslation(BackTranslationOptions.parse(options, "test"))
    made = augment_text(pl.Series(texts), {"back_translation": edit}, seed=1, phrases=phrases)
    return dict(made.variants.select("row", "text").iter_rows())


def test_spans_travel_as_holders_and_come_back_with_their_spaces():
    engine = Engine(lambda text: text.replace("soft", "smooth").replace("case", "cover"))
    texts = ["soft case (5 cm),500 ml", "Acme  soft\nbottle", 'soft "case"', "5 cm soft 7 ml"]
    assert variants(texts, engine, phrases=["acme"]) == {
        0: "smooth cover (5 cm),500 ml", 1: "Acme smooth bottle", 2: 'smooth "cover"',
        3: "5 cm smooth 7 ml",
    }  # fmt: skip
    assert not any(character.isdigit() for text in engine.sent for character in text)
    assert engine.sent[1] == "Xqbbx soft bottle"


@pytest.mark.parametrize(
    "lose",
    [
        lambda text: text.replace("Xqbbx", ""),
        lambda text: text + " Xqbbx",
        lambda text: text.replace("Xqbbx", "Xqbcx"),
        lambda text: " ".join(reversed(text.split(" "))),
        lambda text: text.replace("Xqbcx", "Xqfffx"),
        lambda text: "",
        lambda text: " ",
    ],
)
def test_a_text_that_lost_doubled_or_moved_a_span_stays(lose):
    assert variants(["soft 5 cm case 7 ml"], Engine(lose)) == {}


def test_holders_survive_capitals_and_more_than_a_hundred_of_them():
    text = " and ".join(f"{n} cm soft" for n in range(1, 121))
    made = variants([text], Engine(lambda sent: sent.upper().replace("SOFT", "smooth")))
    assert made[0] == text.replace("soft", "smooth").replace("and", "AND")


def test_a_text_that_looks_like_a_holder_a_long_one_and_foreign_ones_are_not_sent():
    engine = Engine(lambda text: text + " new")
    texts = ["a Xqbbx b", "soft " * 1000, "红色 soft", "12", "", None, "soft"]
    assert variants(texts, engine) == {6: "soft new"}
    assert variants(texts, engine, script="chinese") == {2: "红色 soft new"}


def test_a_final_stop_is_kept_and_control_signs_are_not_sent():
    engine = Engine(lambda text: text.replace("soft", "smooth").rstrip("."))
    assert variants(["It is soft.", "soft\x00\x07 \u2028x"], engine) == {
        0: "It is smooth.", 1: "smooth x",
    }  # fmt: skip
    assert engine.sent == ["It is soft.", "soft x"]


def test_an_engine_that_leaves_out_lines_is_told():
    class Short:
        def translate(self, texts, source, target):
            return []

    with pytest.raises(InputError, match="one line for each of 1 texts, got 0"):
        variants(["soft"], Short())


class TestApertium:
    def test_words_come_back_as_others(self, tmp_path):
        texts = ["soft red cup 5 cm", "white cup", "no words", "cheap, new"]
        made = variants(texts, program=str(small_apertium(tmp_path)))
        assert made == {0: "smooth red cup 5 cm", 3: "cheap, fresh"}

    def test_a_line_that_tears_costs_no_other_its_variant(self, tmp_path):
        texts = ["soft cup", "tear soft", "new cup", "cheap cup"]
        made = variants(texts, program=str(small_apertium(tmp_path)))
        assert made == {0: "smooth cup", 2: "fresh cup", 3: "inexpensive cup"}

    def test_time_outs_and_failures_are_told(self, tmp_path):
        program = str(small_apertium(tmp_path))
        with pytest.raises(SourceError, match=r"1 lines in 0\.5 s"):
            variants(["sleep well"], program=program, timeout_s=0.5)
        with pytest.raises(SourceError, match="end with 0, got 3"):
            variants(["fail"], program=program)
        with pytest.raises(MissingExtraError, match=r"the pair eng-fra.*apertium -l lists"):
            variants(["soft"], program=program, pivot="fra")

    def test_no_engine_at_all_is_told_with_the_ways_out(self):
        with pytest.raises(MissingExtraError, match=r"apertium-eng-spa.*BackTranslation\.by"):
            variants(["soft"], program="no-such-program")

    def test_a_language_is_no_option_of_a_program(self):
        with pytest.raises(RecipeError, match="pivot"):
            variants(["soft"], pivot="-d/etc")

    @pytest.mark.skipif(shutil.which("apertium") is None, reason="apertium is not installed")
    def test_the_real_one_keeps_every_span_and_alters_half_of_the_lines(self):
        texts = [text for text, _ in LINES] + ["soft [red] ^dress$ with/without \\ <b>belt</b> @ ~"]
        made = variants(texts, phrases=BRANDS)
        english = sum(text.isascii() for text in texts)
        assert len(made) > english / 2
        for row, text in made.items():
            for part in LINES[row][1] if row < len(LINES) else ("<b>", "</b>"):
                assert part in text
