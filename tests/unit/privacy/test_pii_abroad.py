"""Addresses, identity numbers, plates and passports of five English-speaking countries."""

import time

import pytest

from shopsynth.privacy.pii import find_pii
from shopsynth.privacy.pii.papers_abroad import is_singapore_id, is_tax_file_number

FOUND = [
    ("ADDRESS", "send it to {} please", "Flat 2, 14 Kingsway, London WC2B 6AB"),
    ("ADDRESS", "Ship to:\n{}\nthanks", "10 Marsh Lane\nOtterby\nLeeds\nLS6 2AB"),
    ("ADDRESS", "寄到{}谢谢", "10 Marsh Lane, Leeds LS6 2AB"),
    ("ADDRESS", "I live at {}.", "3 The Green, Ashford TN23 1AA, UK"),
    ("ADDRESS", "it went to {} instead", "Rose Cottage, Mill Lane, Ambleside LA22 9AB"),
    ("ADDRESS", "i moved to {} last week", "14 marlowe road, leeds ls6 2ab"),
    ("ADDRESS", "my postcode is {}", "sw1a 1aa"),
    ("ADDRESS", "post it to {}", "Unit 7, Canal Works, 22 Dock Street, Hull HU1 3AB"),
    ("ADDRESS", "Deliver to {}", "1200 rue Sherbrooke Ouest, Montréal, QC H3A 1B2"),
    ("ADDRESS", "address: {}", "Apt 4, 88 Bank St, Ottawa, ON K1A 0B1, Canada"),
    ("ADDRESS", "{}", "305-1450 Beach Ave\nVancouver BC\nV6G 1Y3"),
    ("ADDRESS", "rural: {} ok", "Box 14, Elora ON N0B 1S0"),
    ("ADDRESS", "deliver to {}", "Unit 4/12 Smith St, Fitzroy VIC 3065"),
    ("ADDRESS", "I am at {} now", "27 Wattle Grove, Newtown NSW 2042"),
    ("ADDRESS", "{}", "PO Box 88, Fremantle WA 6160"),
    ("ADDRESS", "leave at {}", "Level 3, 200 George St\nSydney NSW 2000\nAustralia"),
    ("ADDRESS", "deliver to {} pls", "Blk 123 Ang Mo Kio Ave 3 #05-67 Singapore 560123"),
    ("ADDRESS", "{}", "Block 45 Bedok North Street 1, #10-221, S(460045)"),
    ("ADDRESS", "my place {}", "12 Jalan Besar, Singapore 208787"),
    ("ADDRESS", "drop it at {}", "Blk 77 Holland Drive #02-11"),
    ("ADDRESS", "mail it to {}", "450 Oak Ridge Trl Apt 12B, Austin, TX 78701-1234"),
    ("ADDRESS", "{}", "P.O. Box 512\nBoise, ID 83701"),
    ("ADDRESS", "ship to {} asap", "77 Old Mill Rd, Suite 200, Albany, New York 12207"),
    ("ADDRESS", "ship: {}", "9 Elm Court\nApt 3\nMadison, WI 53703\nUSA"),
    ("ADDRESS", "{}", "Suite 5, Level 2, 10 Pitt St, Sydney"),
    ("ADDRESS", "{}", "14 Cherry Tree Cl, Exeter"),
    ("ID", "my SIN is {}", "046 454 286"),
    ("ID", "social insurance number: {}", "046-454-286"),
    ("ID", "NRIC {} for the pickup", "S1234567D"),
    ("ID", "身份{}本人", "S1234567D"),
    ("ID", "my FIN is {}", "G1234567X"),
    ("ID", "tax file number {}", "123 456 782"),
    ("ID", "TFN: {}", "123456782"),
    ("ID", "Medicare card {}", "2123 45670 1"),
    ("ID", "my NI number for payroll is {}", "AB 12 34 56 C"),
    ("ID", "driving licence no. {}", "MORGA657054SM9IJ"),
    ("PLATE", "my number plate is {}", "AB12 CDE"),
    ("PLATE", "rego {} is parked outside", "1AB 2CD"),
    ("PLATE", "the rego on the ute is {}", "ABC 12D"),
    ("PLATE", "license plate: {}", "7ABC123"),
    ("PLATE", "car plate {}", "SBA 1234 A"),
    ("PLATE", "the driver in the white van, {}, left", "AB12 CDE"),
    ("PLATE", "{} is my licence plate", "ABCD 123"),
    ("PLATE", "reg: {}", "ab12 cde"),
    ("PASSPORT", "passport number {}", "AB123456"),
    ("PASSPORT", "Singapore passport {}", "K1234567E"),
    ("PASSPORT", "my Canadian passport is {}", "A123456BC"),
    ("PASSPORT", "my UK passport no. {}", "123456789"),
    ("PASSPORT", "Aussie passport: {}", "PA1234567"),
]  # fmt: skip

CLEAN = [
    "Unit 3 pack", "Unit 3 Pack of Storage Boxes", "Flat 2 inch brush", "Level 3 charger 240V",
    "Suite 200 bedding set", "Block 12 Piece Toy", "Lot 24 pcs New York Style 10000 beads",
    "model S1234567D", "SKU S1234567D", "S1234567A", "version K1A 0B1.2", "Bosch GSB18 2RE",
    "Model AB12 3CD drill", "M5 3AB screws", "HP Envy 6020 printer", "Canon EOS R5 24-105",
    "Medicare is not involved", "the sin of pride, part 2", "SIN 123 456 789 curve",
    "dinner plate set of 12", "hot plate model AB12 CDE", "plate holder frame SKU ABC 1234",
    "passport holder AB123456", "passport photo size 35x45", "passport cover model K1234567E",
    "AB12 CDE", "Win 10 Pro 64", "PS5 Slim 1TB", "iPhone 15 Pro Max 256", "USB 3.2 Gen 2",
    "3 Pack Boxes, Made in USA", "Size S 123456", "TV 55 inch QLED S95C", "2 New York Mugs",
    "Lego 42115 Technic", "Vic Firth 5A drumsticks", "NSW Swans scarf 2023", "TX 12V battery",
    "IC 7805 regulator", "the Nikon ACT 2000", "Singapore Airlines A380 model 1:200",
    "5 stars, arrived in London", "ordered 2 in May, from Texas", "WD40 400ml", "LED E27 9W",
    "Unit 4/12V adapter", "A4 80 gsm paper", "Nike Air Max 90 UK 10", "wa 6000 points",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "frame", "value"), FOUND)
def test_it_is_found_whole(kind, frame, value):
    text = frame.format(value)
    start = text.index(value)
    hits = find_pii([text], names="off").select("kind", "start", "end").rows()
    assert (kind, start, start + len(value)) in hits, [(k, text[a:b]) for k, a, b in hits]


@pytest.mark.parametrize("text", CLEAN)
def test_goods_are_left_alone(text):
    assert [text[a:b] for _, _, a, b, _ in find_pii([text], names="off").rows()] == []


def test_check_digits_tell_right_from_wrong():
    assert [is_singapore_id(f"F1234567{letter}") for letter in "NA"] == [True, False]
    assert [is_tax_file_number(number) for number in ("123456782", "123456783")] == [True, False]


@pytest.mark.parametrize(
    "piece",
    [
        *("Flat 2, ", "SW1A 1AA ", "12 High Street\n", "Blk 1 A ", "plate ", "SIN 1 ", "A, "),
        *("NSW 2000 ", "Rose Cottage, ", "1 A SW1A ", "parked ", "rego A ", "passport A1 "),
    ],
)  # fmt: skip
def test_time_is_linear(piece):
    def clock(size: int) -> float:
        text = piece * (size // len(piece))
        start = time.process_time()
        find_pii([text], names="off")
        return time.process_time() - start

    assert clock(80_000) < 10 * clock(20_000) + 1
