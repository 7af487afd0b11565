"""Pictures lose place, time, comments and thumbnails; their pixels and their orientation stay."""

import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps, ImageSequence, PngImagePlugin

from shopsynth.privacy.images import has_metadata, strip_metadata
from shopsynth.schema import SourceError

FORMATS = ("JPEG", "PNG", "WEBP")
SECRET = b"Canon serial 4711"


def exif(orientation=6):
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = orientation
    made[ExifTags.Base.Make] = SECRET.decode()
    made.get_ifd(ExifTags.IFD.GPSInfo).update(
        {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (39.0, 54.0, 26.0)}
    )
    return made


def picture(kind, orientation=6, **more):
    image = Image.linear_gradient("L").resize((40, 24)).convert("RGB")
    for x in range(10):
        image.putpixel((x, x), (255, 0, x))
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", SECRET.decode())
        more["pnginfo"] = text
    else:
        more["xmp"] = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    if kind == "JPEG":
        more["comment"] = SECRET
    file = io.BytesIO()
    image.save(file, kind, exif=exif(orientation), icc_profile=b"profile" * 8, **more)
    return file.getvalue()


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return ImageOps.exif_transpose(image).convert("RGB").tobytes()


@pytest.mark.planted_leak
@pytest.mark.parametrize("kind", FORMATS)
def test_leak_20_image_with_exif_gps(kind):
    planted = picture(kind)
    assert {"EXIF", "GPS"} <= set(has_metadata(planted))
    clean = strip_metadata(planted)
    assert has_metadata(clean) == []
    assert SECRET not in clean
    with Image.open(io.BytesIO(clean)) as image:
        assert dict(image.getexif().get_ifd(ExifTags.IFD.GPSInfo)) == {}
        assert dict(image.getexif()) == {ExifTags.Base.Orientation: 6}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", [1, 3, 8])
def test_the_picture_looks_the_same_and_keeps_its_profile(kind, orientation):
    planted = picture(kind, orientation)
    clean = strip_metadata(planted)
    assert pixels(clean) == pixels(planted)
    assert strip_metadata(clean) == clean
    with Image.open(io.BytesIO(clean)) as image:
        assert image.info["icc_profile"] == b"profile" * 8


def test_all_that_is_told_of_each_format():
    assert has_metadata(picture("JPEG")) == ["EXIF", "GPS", "XMP", "comment"]
    assert has_metadata(picture("PNG")) == ["EXIF", "GPS", "text"]
    assert has_metadata(picture("WEBP")) == ["EXIF", "GPS", "XMP"]


def test_what_hides_behind_in_and_between_the_pixels_of_a_jpeg_goes():
    planted = picture("JPEG", progressive=True)
    first_scan = planted.index(b"\xff\xda")
    second_scan = planted.index(b"\xff\xda", first_scan + 2)
    late = b"\xff\xfe" + struct.pack(">H", 2 + len(SECRET)) + SECRET
    iptc = b"\xff\xed" + struct.pack(">H", 2 + len(SECRET)) + SECRET
    hidden = planted[:2] + iptc + planted[2:]
    moved = second_scan + len(iptc)
    hidden = hidden[:moved] + late + hidden[moved:] + SECRET
    assert {"IPTC", "comment", "trailer"} <= set(has_metadata(hidden))
    clean = strip_metadata(hidden)
    assert has_metadata(clean) == []
    assert SECRET not in clean
    assert pixels(clean) == pixels(planted)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_hides_behind_the_end_goes(kind):
    hidden = picture(kind) + SECRET
    assert "trailer" in has_metadata(hidden)
    assert SECRET not in strip_metadata(hidden)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_claims_too_many_pixels_is_refused(kind):
    with pytest.raises(SourceError, match="at most 900 pixels, got 40 x 24"):
        strip_metadata(picture(kind), max_pixels=900)


@pytest.mark.parametrize("kind", ["WEBP"])
def test_lossless_and_plain_pictures_tell_their_size_too(kind):
    file = io.BytesIO()
    Image.new("RGB", (40, 24)).save(file, kind, lossless=True)
    with pytest.raises(SourceError, match="40 x 24"):
        has_metadata(file.getvalue(), max_pixels=900)
    plain = io.BytesIO()
    Image.new("RGB", (40, 24)).save(plain, kind)
    assert strip_metadata(plain.getvalue()) == plain.getvalue()


def test_an_animation_keeps_its_frames():
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 120, 240)]
    for kind in ("PNG", "WEBP"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:], exif=exif())
        with Image.open(io.BytesIO(strip_metadata(file.getvalue()))) as image:
            assert sum(1 for _ in ImageSequence.Iterator(image)) == 3


@pytest.mark.parametrize("data", [b"", b"GIF89a...", b"%PDF-1.7", b"\xff\xd8"])
def test_other_content_is_refused(data):
    with pytest.raises(SourceError, match="JPEG, PNG or WebP"):
        strip_metadata(data)


@pytest.mark.parametrize("kind", FORMATS)
@given(place=st.integers(0, 10_000), cut=st.booleans(), value=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_damaged_picture_is_read_or_refused_and_nothing_else(kind, place, cut, value):
    data = bytearray(picture(kind))
    place %= len(data)
    if cut:
        data = data[:place]
    else:
        data[place] = value
    for read in (strip_metadata, has_metadata):
        with suppress(SourceError):
            read(bytes(data))
