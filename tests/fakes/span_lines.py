"""Titles and queries with what must not be altered in them: planted by template, and nasty ones.

In: nothing. Out: (text, spans that must stand in every variant of it).
"""

from itertools import product

NASTY = (
    ("iPhone 15 Pro 256GB case in black silicone", ("iPhone 15 Pro", "256GB")),
    ("Levi's 501 original fit jeans for men", ("Levi's 501",)),
    ("strong sticky 3M tape for walls", ("3M",)),
    ("WD-40 multi purpose spray oil", ("WD-40",)),
    ("sparkling water bottles 2 x 1.5L natural", ("2 x 1.5L",)),
    ("男士运动鞋11号黑色透气", ("11号",)),
    ("红色中性笔一盒12支办公用品", ("一盒", "12支")),
    ("white copy paper A4 80 g bright", ("A4", "80 g")),
    ("Ｎｉｋｅ ２７０ running shoes white", ("Ｎｉｋｅ ２７０",)),
    ("حذاء رياضي مقاس 42 أسود", ("42",)),
    ("נעלי ריצה לגברים מידה 44", ("44",)),
    ("👟👩🏽‍🚀 running shoes 5 pairs 🇫🇷🇩🇪 flags", ("5 pairs",)),
    ('<a href="x y">red cotton</a> summer dress &amp; belt', ('<a href="x y">', "</a>", "&amp;")),
    ("desk lamp price $ 9.99 or ¥99 today", ("$ 9.99", "¥99")),
    ("第二代不锈钢保温杯500毫升便携", ("二代", "500毫升")),
    ("green tea no sugar (12-pack) fresh leaves", ("no sugar", "12-pack")),
    ('laptop sleeve bag 15.6" grey wool', ('15.6"',)),
    ("see http://x.example/z?a=1 for details now", ("http://x.example/z?a=1",)),
    ("office HP LaserJet printer toner black", ("HP", "LaserJet")),
    ("women cotton shirt XL blue striped", ("XL",)),
    ("二百五十克装咖啡豆烘焙", ("二百五十克装",)),
    ("bath towel 30 x 60 cm soft white", ("30 x 60 cm",)),
    ("wool socks USD 20 warm winter", ("USD 20",)),
    ("运动饮料99元整箱促销", ("99元",)),
    ("crème brûlée torch 2.5 oz refill café", ("2.5 oz",)),
    ("नमस्ते दुनिया 250 ml शहद", ("250 ml",)),
    ("control\x07signs\x1band\u200ejoined words 7 cm", ("7 cm",)),
    ("galvanized steel pipe 3/4 in. x 10 ft. heavy duty", ("3/4 in. x 10 ft",)),
    ("board 2 ft. x 4 ft. x 1/2 in. pine wood", ("2 ft. x 4 ft. x 1/2 in",)),
    ("copper pipe 1/2-in. x 4-ft. straight hard", ("1/2-in. x 4-ft",)),
    ('poster frame 24" x 36" black wood', ('24" x 36"',)),
    ("steel door 30 in. W x 80 in. H white primed", ("30 in. W x 80 in. H",)),
    ('base cabinet 24" W x 34.5" H unfinished oak', ('24" W x 34.5" H',)),
    ("beer glasses six pack gift box", ("six pack",)),
    ("half gallon glass milk jug", ("half gallon",)),
    ("crayons twenty-four count bright colours", ("twenty-four count",)),
    ("e\u0301clair pastry box 6 pieces vanilla", ("6 pieces",)),
)

_EN_SIZES = ("500 ml", "2 x 330ml", "1.5kg", "12 pack", "64GB", "10 x 20 cm", '24"', "0.75 L")
_EN_FORMS = (
    "{brand} large soft {noun} {model} with handle, {size}, dark blue",
    "new {noun} {size} by {brand} {model}",
    "{noun} - {brand} {model} - {size} - cheap online",
)
_ZH_SIZES = ("500毫升", "1.5升", "12支装", "三件套", "42码", "2公斤", "256GB")
_ZH_FORMS = ("{brand}{noun}{model} {size} 家用便携", "新款 {brand} {model} {noun} 红色 {size}")

PLANTED = tuple(
    (form.format(brand=brand, noun=noun, model=model, size=size), (brand, model, size))
    for brand, model, forms, nouns, sizes in (
        ("Brabantia", "XR-77b", _EN_FORMS, ("bottle", "kitchen scales", "shoes"), _EN_SIZES),
        ("Black & Decker", "KX 2200", _EN_FORMS, ("drill", "paint"), _EN_SIZES),
        ("农夫山泉", "NF-20", _ZH_FORMS, ("饮用水", "保温杯", "运动鞋"), _ZH_SIZES),
        ("Nike耐克", "DV1234", _ZH_FORMS, ("跑步鞋", "男士外套", "背包"), _ZH_SIZES),
    )
    for form, noun, size in product(forms, nouns, sizes)
)

BRANDS = ("Brabantia", "Black & Decker", "农夫山泉", "Nike耐克", "Ｎｉｋｅ")

LINES = NASTY + PLANTED
