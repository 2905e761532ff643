"""Arrays inside a record: pictures and clouds of points, of which JSON lists would be ten times as long."""

from __future__ import annotations

import base64
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from vitflow.analysis.records.record import Record


class Packed(Record):
    """An array's bytes, row by row, little-endian, in base64."""

    dtype: Literal["uint8", "uint16", "float16"]
    shape: tuple[int, ...]
    data: str

    @classmethod
    def of(cls, values: Any, dtype: Literal["uint8", "uint16", "float16"]) -> Self:
        """Pack values; what ``dtype`` cannot hold is the caller's mistake."""
        array = np.asarray(values)
        kept = array.astype(np.dtype(dtype).newbyteorder("<"))
        return cls(dtype=dtype, shape=array.shape, data=base64.b64encode(kept.tobytes()).decode("ascii"))

    @property
    def values(self) -> NDArray[Any]:
        """The array."""
        stored = np.dtype(self.dtype).newbyteorder("<")
        return np.frombuffer(base64.b64decode(self.data), stored).reshape(self.shape).astype(self.dtype)
