"""Drawing pieces: shares, the nucleus, and rows that grow together as they would alone."""

import numpy as np
import pytest
import torch

from shopsynth.generate.language.decoding import Alphabet, Taste, grow, uncover
from shopsynth.generate.language.network import Memory, TextNetwork

ALPHABET = Alphabet(1, 2, 3, firsts=np.array([4, 6]), sizes=np.array([2, 3]), n_specials=9)
N_TOKENS = 30


def network(causal=True, seed=1):
    torch.manual_seed(seed)
    made = TextNetwork(N_TOKENS, dim=16, layers=2, heads=2, dropout=0.0, causal=causal)
    for part in made.parameters():
        torch.nn.init.normal_(part, std=0.3)
    return made.eval()


def seeded(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


class TestTaste:
    SCORES = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(4000, 1)

    def shares(self, taste):
        drawn = taste.choose(self.SCORES, seeded().random(4000))
        return (np.bincount(drawn.numpy(), minlength=4) / 4000).tolist()

    def test_columns_come_as_often_as_their_scores_say(self):
        assert self.shares(Taste(1.0, 1.0)) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)

    def test_the_nucleus_is_the_likeliest_that_reach_the_share(self):
        assert self.shares(Taste(1.0, 0.7)) == pytest.approx([0.625, 0.375, 0, 0], abs=0.03)
        assert self.shares(Taste(1.0, 0.01)) == [1, 0, 0, 0]

    def test_low_temperature_makes_the_likely_likelier(self):
        assert self.shares(Taste(0.5, 1.0))[0] == pytest.approx(0.25 / 0.365, abs=0.03)

    def test_the_ends_of_the_draw_stay_inside(self):
        scores = torch.tensor([[-torch.inf, 0.0, 0.0, -torch.inf]] * 2)
        ends = np.array([0.0, 1.0 - 2**-53])
        for top_p in (0.999, 1.0):
            assert set(Taste(1.0, top_p).choose(scores, ends).tolist()) <= {1, 2}


class TestMemory:
    def test_reading_piece_by_piece_says_what_reading_all_says(self):
        made = network()
        tokens = torch.randint(1, N_TOKENS, (3, 7))
        memory = Memory(made, 3, 7)
        with torch.inference_mode():
            whole = made(tokens)
            for place in range(7):
                torch.testing.assert_close(memory.read(tokens[:, place]), whole[:, place])

    def test_rows_that_are_kept_go_on(self):
        made = network()
        tokens = torch.randint(1, N_TOKENS, (3, 2))
        memory = Memory(made, 3, 2)
        with torch.inference_mode():
            memory.read(tokens[:, 0])
            memory.keep(torch.tensor([2, 0]))
            scores = memory.read(tokens[[2, 0], 1])
            torch.testing.assert_close(scores, made(tokens)[[2, 0], 1])


class TestGrow:
    def test_texts_have_pieces_alone_and_end_where_they_end(self):
        made = network()
        with torch.no_grad():
            made.often[2] = 3.0
        wanted = np.tile([1, 2], (300, 1))
        levels, texts = grow(made, ALPHABET, wanted, 6, Taste(1.0, 1.0), seeded())
        assert (levels == wanted).all()
        lengths = {text.size for text in texts}
        assert 1 in lengths
        assert lengths <= set(range(1, 7))
        assert min(text.min() for text in texts) >= ALPHABET.n_specials

    def test_open_levels_are_drawn_and_given_ones_stay(self):
        wanted = np.array([[-1, 2], [1, -1]] * 200)
        levels, _ = grow(network(), ALPHABET, wanted, 2, Taste(1.0, 1.0), seeded())
        assert set(levels[0::2, 0]) == {0, 1}
        assert set(levels[1::2, 1]) == {0, 1, 2}
        assert (levels[0::2, 1] == 2).all()
        assert (levels[1::2, 0] == 1).all()

    def test_the_same_numbers_give_the_same_texts(self):
        wanted = np.zeros((600, 2), dtype=np.int64)
        first, again = (
            grow(network(), ALPHABET, wanted, 4, Taste(1.0, 0.9), seeded())[1] for _ in range(2)
        )
        assert [one.tolist() for one in first] == [one.tolist() for one in again]


class TestUncover:
    @pytest.mark.parametrize("passes", [1, 3, 50])
    def test_every_place_of_a_text_gets_a_piece(self, passes):
        lengths = np.array([1, 5, 9])
        levels = np.zeros((3, 2), dtype=np.int64)
        texts = uncover(
            network(causal=False), ALPHABET, levels, lengths, passes, Taste(1.0, 0.9), seeded()
        )
        assert [text.size for text in texts] == lengths.tolist()
        assert min(text.min() for text in texts) >= ALPHABET.n_specials

    def test_padding_is_not_seen(self):
        made = network(causal=False)
        with torch.inference_mode():
            alone = made(torch.tensor([[1, 4, 10, 11]]))
            padded = made(torch.tensor([[1, 4, 10, 11, 0, 0]]))
        torch.testing.assert_close(alone, padded[:, :4])
