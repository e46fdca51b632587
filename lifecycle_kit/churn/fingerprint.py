"""What tells two frames apart: the sha256 of their content."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_sha256"]


def frame_sha256(frame: pd.DataFrame) -> str:
    """Return the sha256 of a frame's columns: names, kinds, values and their order. The index is not in it.

    Whole numbers are taken as floats, and every missing value is the same one.
    """
    import pandas as pd
    import pyarrow as pa

    digest = hashlib.sha256()
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
            digest.update(f"{name}\0number\0{len(values)}\0".encode())
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            # one zero and one NaN
            digest.update(np.where(np.isnan(numbers), np.nan, numbers + 0.0).tobytes())
            continue
        digest.update(f"{name}\0text\0{len(values)}\0".encode())
        texts = pa.array(values.astype("object").where(values.notna(), None).astype("str"), pa.large_string())
        missing = values.isna().to_numpy()
        digest.update(missing.tobytes())
        lengths = pa.compute.binary_length(texts).fill_null(0)
        digest.update(lengths.to_numpy(zero_copy_only=False).tobytes())
        digest.update(b"".join(part.encode() for part in texts.drop_null().to_pylist()))
    return digest.hexdigest()
