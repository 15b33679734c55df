"""Scratch: large arrays lie in files without a name."""

import tempfile

import numpy as np

from physprobe.store import scratch


def test_what_is_large_lies_in_a_file_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    small = scratch.zeros((3, 2), np.float32)
    assert type(small) is np.ndarray and not small.any()
    monkeypatch.setattr(scratch, "LARGE", 100)
    assert isinstance(scratch.zeros((3, 2), np.float32, kept=5), np.memmap), "of several, all count"
    large = scratch.zeros((30, 2), "float16")
    assert isinstance(large, np.memmap) and large.dtype == np.float16 and not large.any()
    large[7] = 3
    assert (large[[7, 8], 1] == [3, 0]).all() and not list(tmp_path.iterdir())
