"""Maps of the user's own files: raster and vector, beyond their edges and levels, and broken in all kinds."""

import gzip
import io
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pmtiles import writer
from pmtiles.tile import Compression, TileType

from tests.render.mapfiles import field, layer, picture, varint, write
from twin.foundation.cache import ByteCache
from twin.foundation.errors import ConfigError
from twin.render import tilefile
from twin.render.filemap import FileMap
from twin.render.grid import tile_box
from twin.render.ground import NAMES, PARK, WATER
from twin.render.mvt import decode
from twin.render.tilefile import OVERZOOM, credit_text, enlarged
from twin.render.tone import RAMPS

RED, GREEN = (200, 10, 10), (10, 200, 10)
HOME = (12, 655, 1583)
"""The tile of San Francisco's centre."""


def map_of(path: Path) -> FileMap:
    return FileMap(path, ByteCache(1 << 20))


def pixels(png: bytes) -> NDArray[np.int64]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize(
    ("kind", "form", "mime"),
    [(TileType.PNG, "PNG", "image/png"), (TileType.JPEG, "JPEG", "image/jpeg"), (TileType.WEBP, "WEBP", "image/webp")],
)
def test_a_raster_tile_is_served_as_it_is(tmp_path: Path, kind: TileType, form: str, mime: str) -> None:
    tile = picture(RED, kind=form)
    own = map_of(write(tmp_path / "city.pmtiles", {HOME: tile}, {"name": "My city", "attribution": "Me"}, kind))
    assert own.tile(*HOME, "dark", 2) == (tile, mime)
    assert (own.label, own.credit, own.names((0, 0, 1, 1))) == ("My city", "Me", [])


def test_beyond_the_last_level_a_part_is_enlarged_and_outside_there_is_nothing(tmp_path: Path) -> None:
    z, x, y = HOME
    halves = Image.new("RGB", (256, 256), RED)
    halves.paste(GREEN, (128, 0, 256, 256))
    made = io.BytesIO()
    halves.save(made, "PNG")
    own = map_of(write(tmp_path / "city.pmtiles", {HOME: made.getvalue()}))
    west, east = (own.tile(z + 3, 8 * x + column, 8 * y + 5, "dark", 1) for column in (1, 6))
    assert west is not None
    assert east is not None
    assert (pixels(west[0]) == RED).all()
    assert (pixels(east[0]) == GREEN).all()
    assert own.tile(z, x + 1, y, "dark", 1) is None
    assert own.tile(z - 1, x // 2, y // 2, "dark", 1) is None
    up = OVERZOOM + 1
    assert own.tile(z + up, x << up, y << up, "dark", 1) is None
    assert own.tile(z + up - 1, x << up - 1, y << up - 1, "dark", 1) is not None


def test_many_tiles_in_leaf_directories_are_all_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = writer.optimize_directories
    monkeypatch.setattr(writer, "optimize_directories", lambda entries, _most: usual(entries, 300))
    tiles = {(9, x, y): f"{x} {y}".encode() for x in range(0, 200, 2) for y in range(90)}
    path = write(tmp_path / "many.pmtiles", tiles)
    own = tilefile.TileFile(path)
    assert own._header["leaf_directory_length"] > 0, "the file has leaves"
    for place in [(9, 0, 0), (9, 198, 89), (9, 100, 30)]:
        assert own.raw(*place) == tiles[place]
    assert own.raw(9, 1, 0) is None


def test_a_directory_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "city.pmtiles", {HOME: picture(RED)})
    bomb = gzip.compress(b"\x01" + bytes(2 * tilefile.MAX_ENTRIES))
    content = bytearray(path.read_bytes())
    content[8:24] = len(content).to_bytes(8, "little") + len(bomb).to_bytes(8, "little")  # where the root lies
    path.write_bytes(content + bomb)
    with pytest.raises(ConfigError, match=r"city\.pmtiles is damaged"):
        tilefile.TileFile(path)


SQUARE = [(0, 0), (2048, 0), (2048, 4096), (0, 4096)]
ISLAND = [(512, 1024), (512, 3072), (1536, 3072), (1536, 1024)]


def vector_tile() -> bytes:
    return (
        layer("water", [(3, [SQUARE, ISLAND], {"kind": "ocean"}), (1, [[(1000, 200)]], {"kind": "ocean", "name": "The <Bay>"})])
        + layer("landuse", [(3, [[(3000, 0), (4096, 0), (4096, 1000), (3000, 1000)]], {"kind": "park"})])
        + layer(
            "roads",
            [
                (2, [[(2048, 2048), (4096, 2048)]], {"kind": "highway", "name": "Main Street"}),
                (2, [[(2048, 3072), (4096, 3072)]], {"kind": "minor_road", "name": "Side Street"}),
                (2, [[(2048, 3500), (4096, 3500)]], {"kind": "ferry", "name": "Ferry"}),
            ],
        )
        + layer(
            "places",
            [
                (1, [[(3000, 1500)]], {"kind": "neighbourhood", "name": "Old\nTown"}),
                (1, [[(1, 1)]], {"kind": "country", "name": "Land"}),
            ],
        )
        + layer("buildings", [(3, [SQUARE], {"kind": "building"})])
    )  # fmt: skip


def vector_file(path: Path) -> Path:
    metadata = {
        "attribution": "<a href='https://x.example'>© Example</a>",
        "vector_layers": [{"id": "water"}, {"id": "roads"}],
    }
    return write(path, {HOME: gzip.compress(vector_tile())}, metadata, TileType.MVT, Compression.GZIP)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_vector_tile_is_drawn_in_our_tones(tmp_path: Path, theme: str, scale: int) -> None:
    own = map_of(vector_file(tmp_path / "city.pmtiles"))
    found = own.tile(*HOME, theme, scale)
    assert found is not None
    assert found[1] == "image/png"
    seen = pixels(found[0])
    assert seen.shape == (256 * scale, 256 * scale, 3)

    def at(x: int, y: int) -> tuple[int, ...]:
        return tuple(seen[y * scale // 16, x * scale // 16])

    land = rgb(RAMPS[theme][0])
    assert at(100, 100) == rgb(WATER[theme])
    assert at(1000, 2000) == land, "an island is a hole in the water"
    assert at(3500, 500) == rgb(PARK[theme])
    assert at(3000, 1500) == land
    assert at(3000, 3500) == land, "a ferry is no road"
    main, side = (seen[(y * scale // 16) - 3 : (y * scale // 16) + 4, 3000 * scale // 16] for y in (2048, 3072))
    strength = [np.abs(row - np.array(land)).sum(axis=1).max() for row in (main, side)]
    assert strength[0] > 1.5 * strength[1] > 0, "a main road stands out, a side street is seen"
    assert own.tile(HOME[0], HOME[1] + 1, HOME[2], theme, scale) is None


def test_a_vector_tile_goes_on_beyond_the_last_level(tmp_path: Path) -> None:
    own = map_of(vector_file(tmp_path / "city.pmtiles"))
    z, x, y = HOME
    found = own.tile(z + 2, 4 * x, 4 * y + 3, "light", 1)  # the south-west corner: water only
    assert found is not None
    assert (pixels(found[0])[4:, :-4] == rgb(WATER["light"])).all()


def test_names_of_a_vector_file_are_plain_and_stand_where_they_belong(tmp_path: Path) -> None:
    own = map_of(vector_file(tmp_path / "city.pmtiles"))
    assert own.credit == "© Example"
    box = tile_box(*HOME)
    names = {name.text: name for name in own.names(box)}
    assert set(names) == {"The <Bay>", "Main Street", "Old Town"}, "no side street, no ferry, no country"
    assert {name.kind for name in names.values()} <= set(NAMES["dark"])
    side = box[2] - box[0]
    assert names["Old Town"].x[0] == pytest.approx(box[0] + side * 3000 / 4096)
    assert names["Old Town"].y[0] == pytest.approx(box[3] - side * 1500 / 4096)
    assert names["Main Street"].x.tolist() == pytest.approx([box[0] + side / 2, box[2]])
    assert own.names((0.0, 0.0, 1000.0, 1000.0)) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no PMTiles file"),
        (b"PMT", "is no PMTiles file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "is no PMTiles file"),
        (b"\xff\xfe" * 100, "is no PMTiles file"),
        (b"PMTiles\x02" + bytes(500), "another version"),
        (b"PMTiles\x03" + bytes(500), "type unknown"),
    ],
)
def test_what_is_no_usable_file_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "city.pmtiles"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as error:
        map_of(path)
    assert "The map city.pmtiles" in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_a_missing_file_a_folder_and_foreign_kinds_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        map_of(tmp_path / "gone.pmtiles")
    with pytest.raises(ConfigError, match=r"damaged|cannot be opened"):
        map_of(tmp_path)
    with pytest.raises(ConfigError, match="tiles of the type mlt"):
        map_of(write(tmp_path / "mlt.pmtiles", {HOME: b"x"}, kind=TileType.MLT))
    with pytest.raises(ConfigError, match="compressed by gzip and zstd"):
        map_of(write(tmp_path / "zstd.pmtiles", {HOME: b"x"}, kind=TileType.MVT, compression=Compression.ZSTD))
    other = {"vector_layers": [{"id": "transportation"}, {"id": "<b>"}]}
    with pytest.raises(ConfigError, match="other layers than Protomaps"):
        map_of(write(tmp_path / "other.pmtiles", {HOME: b"x"}, other, TileType.MVT, Compression.GZIP))


def test_a_file_cut_off_anywhere_is_one_sentence_or_tells_of_the_tile(tmp_path: Path) -> None:
    whole = vector_file(tmp_path / "whole.pmtiles").read_bytes()
    path = tmp_path / "cut.pmtiles"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises((ConfigError, ValueError), match=r"The (map|tile 12/655/1583 of) cut\.pmtiles is"):
            map_of(path).tile(*HOME, "dark", 1)


def test_a_file_with_a_wrong_byte_anywhere_never_breaks_otherwise(tmp_path: Path) -> None:
    whole = bytearray(vector_file(tmp_path / "whole.pmtiles").read_bytes())
    path = tmp_path / "wrong.pmtiles"
    for at in range(7, len(whole), 5):
        changed = whole.copy()
        changed[at] ^= 0xFF
        path.write_bytes(changed)
        try:
            own = map_of(path)
            own.tile(*HOME, "dark", 1)
            own.names(tile_box(*HOME))
        except (ConfigError, ValueError):
            pass


def test_a_file_that_shrinks_while_it_is_used_is_a_damaged_tile_not_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "city.pmtiles", {HOME: picture(RED)})
    own = map_of(path)
    os.truncate(path, 200)
    with pytest.raises(ValueError, match="damaged"):
        own.tile(*HOME, "dark", 1)


def test_a_small_tile_that_unpacks_to_a_huge_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tilefile, "MAX_TILE", 10_000)
    bomb = gzip.compress(bytes(1_000_000))
    own = map_of(write(tmp_path / "bomb.pmtiles", {HOME: bomb}, kind=TileType.MVT, compression=Compression.GZIP))
    with pytest.raises(ValueError, match="damaged"):
        own.tile(*HOME, "dark", 1)


@pytest.mark.parametrize("content", [b"", b"no picture", picture(RED, 2048)])
def test_what_cannot_be_enlarged_is_a_damaged_tile(content: bytes) -> None:
    with pytest.raises(ValueError, match="no picture"):
        enlarged(content, 1, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        varint(3 << 3 | 2) + b"\xff",
        field(3, field(1, b"water") + field(2, field(2, b"\x00\x07") + field(4, b"\x09\x00\x00"))),
        field(3, field(1, b"water") + field(2, field(4, b"\xfa\xff\x01\x00"))),
        field(3, field(1, b"water") + field(2, field(4, b"\x80"))),
        field(3, field(1, b"water") + field(2, field(4, b"\xff" * 9 + b"\x01"))),
        field(3, field(1, b"\xff")),
        b"\xff" * 20,
        b"\x1b",
    ],
)
def test_bytes_that_are_no_vector_tile_are_refused(content: bytes) -> None:
    def read() -> list[object]:
        return [feature.parts for layer in decode(content, {"water"}).values() for feature in layer.features]

    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says, a caller takes it for a damaged tile
        read()


def test_an_attribution_is_plain_text_of_a_bounded_length() -> None:
    assert credit_text('<a href="javascript:alert(1)">A &amp; B</a> <script>x</script>') == "A & B x"
    assert credit_text("&lt;img src=x onerror=alert(1)&gt;") == "<img src=x onerror=alert(1)>", "shown as text"
    assert len(credit_text("x" * 20_000)) == 300
    assert credit_text(None) == credit_text(7) == ""
