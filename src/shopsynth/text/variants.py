"""What tells two variants of one product apart: numbers, sizes, colours and model names.

In: titles. Out: a key a title; titles with different keys are different products, however alike.
"""

import polars as pl

from shopsynth.text.words import UNSPACED, spell_alike

COLOURS = """
    amber aqua beige black blue bronze brown burgundy camel charcoal clear copper coral cream
    crimson cyan denim ecru fuchsia gold golden graphite gray green grey indigo ivory khaki lavender
    lilac lime magenta maroon mauve mint multicolor multicolour mustard navy nude ochre olive orange
    peach pink platinum purple red rose ruby sage salmon sand scarlet silver tan taupe teal titanium
    transparent turquoise violet walnut oak white wine yellow
    blau braun gelb gruen grün grau rosa rot schwarz silber weiss weiß
    blanc blanche bleu gris jaune noir noire rouge vert verte violette
    amarillo azul blanco blanca gris marrón morado negro negra rojo roja verde
    белый голубой желтый зеленый красный розовый серый синий черный чёрный
"""
"""Names of colours, with blanks between them; some are names of materials too."""
_SIZES = """
    small medium large xsmall xlarge xxlarge xxl xxxl xxxxl king queen twin full single double
    triple half quarter dozen pair one two three four five six seven eight nine ten twelve petite
    tall short wide narrow slim regular compact jumbo travel klein mittel gross groß
"""
_MODELS = """
    pro max plus ultra mini lite air super prime elite neo turbo classic premium deluxe standard
    basic sport edition series generation gen mark refurbished used renewed
"""
_PEOPLE = """
    men mens man women womens woman ladies girl girls boy boys kid kids baby toddler infant junior
    youth adult adults unisex left right front rear upper lower
"""
_NEGATIONS = "not without non never free ohne sans sin senza"

_WORDS = " ".join((COLOURS, _SIZES, _MODELS, _PEOPLE, _NEGATIONS)).split()

_FUNCTION_WORDS = (
    "a al an as at by da de di do du el en et fr in is it la le of on or to un us we y"
)
"""Words of two letters that tell nothing; others may be a size, a model or a country (XL, SE)."""

_HAN = "".join(
    (
        "红赤粉橙黄绿青蓝紫黑白灰棕褐金银铜色紅橙黃綠藍銀銅",
        "大中小加号码寸號碼男女童左右前后後上下无無不",
        "双单雙單一二三四五六七八九十百千两兩半",
    )
)

_TELLING = "|".join(
    (
        # With the word behind it: mostly its unit.
        r"[\p{L}\p{M}]*\p{N}[\p{L}\p{M}\p{N}]*(?: [\p{L}\p{M}]+)?",
        rf"\b(?:{'|'.join(sorted(set(_WORDS), key=lambda word: (-len(word), word)))})\b",
        r"\b[\p{L}\p{M}]{1,2}\b",
        f"[{_HAN}]",
    )
)


def variant_keys(titles: pl.Series) -> pl.Series:
    """Return what a title says that tells a product from its variants.

    Numbers with the word behind them, words with digits (models, sizes), words of one or two
    letters, and listed words for colour, size, edition, wearer and negation; single characters for
    the same in Chinese. In their order: 2 x 4 is not 4 x 2. Where it is not sure, a word is told.

    Not a guarantee: names of colours that no list holds, and brands, stand in other words. Compare
    brands by themselves.

    Args:
        titles: Strings; a null tells nothing.

    Returns:
        As many strings, without nulls.

    Example:
        >>> titles = pl.Series(["Mug, red 500ml", "red mug (500 ml)", "Mug red 300ml"])
        >>> variant_keys(titles).to_list()
        ['red|500 ml', 'red|500 ml', 'red|300 ml']
    """
    spelled = (
        spell_alike(titles)
        .str.replace_all(rf"({UNSPACED}+)", " $1 ")
        .str.replace_all(r"\b(\p{Nd}+)([\p{L}\p{M}]+)\b", "$1 $2")
        .str.replace_all(" +", " ")
    )
    told = (
        pl.DataFrame({"word": spelled.str.extract_all(_TELLING)})
        .with_row_index("row")
        .explode("word")
        .filter(~pl.col("word").is_in(_FUNCTION_WORDS.split()).fill_null(False))
        .group_by("row", maintain_order=True)
        .agg(key=pl.col("word").str.join("|"))
    )
    rows = pl.DataFrame({"row": pl.int_range(titles.len(), dtype=pl.UInt32, eager=True)})
    keyed = rows.join(told, on="row", how="left", maintain_order="left")
    return keyed["key"].fill_null("")
