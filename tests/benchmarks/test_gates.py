"""Every benchmark's gate on a small size: what is timed is right."""

import importlib.util
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

FOLDER = Path(__file__).parent
BENCHMARKS = sorted(FOLDER.glob("bench_*.py"))


@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda file: file.stem)
def test_gate(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(FOLDER)
    found = importlib.util.spec_from_file_location(file.stem, file)
    benchmark = importlib.util.module_from_spec(found)
    found.loader.exec_module(benchmark)
    with threadpool_limits(1):
        assert benchmark.check().startswith("gate: ")
