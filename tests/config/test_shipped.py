"""What ships with the package is what was shipped (fault 15)."""

import shutil
from pathlib import Path

import pytest

from physprobe.config import shipped


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Encoders in a folder of their own, to be damaged at will."""
    (tmp_path / "small").mkdir()
    for name in shipped.FILES:
        shutil.copy(shipped.ENCODERS / "small" / name, tmp_path / "small" / name)
    lines = (shipped.ENCODERS / shipped.TABLE).read_text().splitlines(keepends=True)
    (tmp_path / shipped.TABLE).write_text("".join(line for line in lines if " small/" in line))
    monkeypatch.setattr(shipped, "ENCODERS", tmp_path)
    return tmp_path


def test_what_ships_is_what_the_table_says():
    assert shipped.names() == ["base", "small"]
    assert shipped.faults() == []
    table = (shipped.ENCODERS / shipped.TABLE).read_text()
    assert len(table.splitlines()) == len(shipped.names()) * len(shipped.FILES)


@pytest.mark.parametrize("name", shipped.FILES)
def test_a_bit_of_a_shipped_encoder_is_noticed_fault_15(copy: Path, name: str):
    assert shipped.faults() == []
    file = copy / "small" / name
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    (fault,) = shipped.faults()
    assert str(file) in fault
    assert "was shipped. Hint" in fault
    assert "\n" not in fault

    from physprobe.embed import huggingface

    spec = huggingface.Spec(model="physprobe/small")
    with pytest.raises(ValueError, match=rf"{name}: found sha256 .* was shipped\. Hint"):
        huggingface.load(spec, frames=16, height=64, width=64, threads=1)


def test_files_and_hashes_that_are_not_there_are_named(copy: Path):
    (copy / "small" / "config.json").unlink()
    (fault,) = shipped.faults()
    assert "small/config.json: can't be read" in fault
    assert shipped.faults("other")[0].endswith(
        "has no hash of it. Hint: install the package again."
    )
    (copy / shipped.TABLE).write_text("")
    assert shipped.faults("small") == [
        f"{copy / 'small' / name}: {shipped.TABLE} has no hash of it."
        " Hint: install the package again."
        for name in shipped.FILES
    ]
    (copy / shipped.TABLE).unlink()
    assert len(shipped.faults()) == 1


def test_a_folder_of_the_same_name_is_not_taken_for_what_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "physprobe" / "small").mkdir(parents=True)
    (tmp_path / "physprobe" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert shipped.folder("physprobe/small") == shipped.ENCODERS / "small"
    assert shipped.folder("physprobe/mine") == Path("physprobe/mine")
    assert shipped.folder("physprobe/none") is None
