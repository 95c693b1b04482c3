"""The bytes of an Arrow column of texts, for arithmetic on all of them at once."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[np.int64]


def joined(texts: Any) -> pa.Array[Any]:
    """A column without chunks, with offsets of 64 bits."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    found: pa.Array[Any] = texts.cast(pa.large_string())
    return found


class Texts:
    """A column of texts without NULLs: `data` are its UTF-8 bytes, text i those from `offsets[i]` on."""

    def __init__(self, texts: Any) -> None:
        self.texts = joined(texts)
        _, offsets, data = self.texts.buffers()
        here = self.texts.offset
        ends = np.frombuffer(offsets, dtype=np.int64)[here : here + len(self.texts) + 1]
        whole = np.frombuffer(data, dtype=np.uint8) if data else np.empty(0, dtype=np.uint8)
        self.data = whole[ends[0] : ends[-1]]
        self.offsets: Numbers = ends - ends[0]

    @classmethod
    def of(cls, data: npt.NDArray[np.uint8], offsets: Numbers) -> Self:
        """Texts of these bytes."""
        buffers = [None, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(data)]
        return cls(pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers))

    def __len__(self) -> int:
        return len(self.texts)

    def at(self, rows: npt.NDArray[np.intp]) -> Texts:
        """The texts of these rows."""
        return Texts(self.texts.take(pa.array(rows)))

    def heads(self, characters: int) -> Texts:
        """The first characters of each text."""
        return Texts(pc.utf8_slice_codeunits(self.texts, 0, characters))

    @cached_property
    def sizes(self) -> Numbers:
        """In bytes."""
        found: Numbers = np.diff(self.offsets)
        return found

    @cached_property
    def characters(self) -> Numbers:
        """In code points."""
        found: Numbers = np.asarray(pc.utf8_length(self.texts).to_numpy(), dtype=np.int64)
        return found

    @property
    def ascii(self) -> npt.NDArray[np.bool_]:
        """Whether a text has no character beyond ASCII."""
        return np.asarray(self.sizes == self.characters)

    def code_points(self) -> npt.NDArray[np.uint32]:
        """Of all texts, one behind the other."""
        return np.frombuffer(self.data.tobytes().decode().encode("utf-32-le"), dtype="<u4")

    def equals(self, other: Texts) -> npt.NDArray[np.bool_]:
        """Text by text."""
        return np.asarray(pc.equal(self.texts, other.texts).to_numpy(zero_copy_only=False))

    def begins_with(self, other: Texts) -> npt.NDArray[np.bool_]:
        """Whether each text begins with the other one's text, which is not empty."""
        found = (other.sizes > 0) & (other.sizes <= self.sizes)
        rows = np.flatnonzero(found)
        if len(rows):
            sizes = other.sizes[rows]
            starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
            step = np.arange(sizes.sum()) - np.repeat(starts, sizes)
            mine = self.data[np.repeat(self.offsets[rows], sizes) + step]
            theirs = other.data[np.repeat(other.offsets[rows], sizes) + step]
            found[rows] = np.logical_and.reduceat(mine == theirs, starts)
        return found
