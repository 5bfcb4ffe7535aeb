"""Papers as people send them, drawn in a few lines: a photographed letter, a scanned bill."""

from __future__ import annotations

import struct
import zlib

WIDTH, HEIGHT = 120, 170
PAPER, INK, TABLE = b"\xf4\xf1\xe8", b"\x55\x55\x5a", b"\x6b\x50\x3c"


def photo(lines: int) -> bytes:
    """A PNG: a sheet of so many lines of writing, on a table."""
    rows = b"".join(b"\x00" + _row(y, lines) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _row(y: int, lines: int) -> bytes:
    edge = 8
    if not edge <= y < HEIGHT - edge:
        return TABLE * WIDTH
    row, within = divmod(y - 20, 9)
    written = (71 + row * 37 % 29) if 0 <= row < lines and 0 <= within < 3 else 0
    sheet = PAPER * 8 + INK * written + PAPER * (WIDTH - 2 * edge - 8 - written)
    return TABLE * edge + sheet + TABLE * edge


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def scan(title: str) -> bytes:
    """A PDF of one A5 page with a title and a line; `title` in Latin-1."""
    writing = f"BT /F 18 Tf 40 520 Td ({title}) Tj 0 -40 Td /F 11 Tf (Exemple pour la demonstration) Tj ET"
    drawn = writing.encode("latin-1")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 595]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    content = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    ending = b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return content + ending % (size, table, size, len(content))
