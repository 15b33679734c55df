"""Fingerprints follow the syntax of what a module uses, and nothing else."""

import json
from pathlib import Path

import pytest

from physprobe.config import fingerprint


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "core/__init__.py": "",
        "core/used.py": "from . import deeper\nX = 1\n",
        "core/deeper.py": "Y = 2\n",
        "core/unused.py": "Z = 3\n",
        "probe/stage.py": "def run():\n    from physprobe.core.used import X\n    return X\n",
        "probe/typed.py": (
            "from dataclasses import dataclass\nfrom typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from physprobe.core.unused import Z\n\n"
            "@dataclass\nclass Spec:\n    size: int\n\n"
            "def run(spec: object, *more: str, **rest: str) -> dict:\n"
            "    async def wait(for_: int) -> int:\n        return for_\n    return {}\n"
        ),
        "store/log.py": "def done(what): ...\n",
        "probe/told.py": (
            "from physprobe.store import log\nfor x in log.progress(range(3), 'clips'):\n"
            "    log.done(f'{x} is there')\n    y = x\n"
        ),
        "probe/ridge.py": '"""Text."""\nimport numpy\nimport physprobe.core.deeper\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path)
    monkeypatch.setattr(fingerprint.sys, "dont_write_bytecode", False)
    return tmp_path


def code(*modules: str) -> str:
    for cached in (fingerprint._read, fingerprint._kept):
        cached.cache_clear()
    return fingerprint.code(*modules)


def test_imports_are_followed_wherever_they_stand(package: Path):
    assert fingerprint.closure("probe.stage") >= {"core.used", "core.deeper"}
    assert "core.unused" not in fingerprint.closure("probe.stage", "probe.typed")


@pytest.mark.parametrize("edited", ["core/used.py", "core/deeper.py", "probe/stage.py"])
def test_an_edit_of_used_code_changes_it(package: Path, edited: str):
    before = code("probe.stage")
    (package / edited).write_text((package / edited).read_text() + "W = 4\n")
    assert code("probe.stage") != before


def test_an_edit_elsewhere_does_not(package: Path):
    before = code("probe.stage", "probe.ridge")
    (package / "core/unused.py").write_text("Z = 4\n")
    assert code("probe.stage", "probe.ridge") == before


def test_comments_docstrings_and_layout_do_not_count(package: Path):
    before = code("probe.stage", "probe.ridge")
    stage = package / "probe/stage.py"
    stage.write_text(
        '"""New."""\n\n# why\ndef run():\n    """More."""\n\n'
        "    from physprobe.core.used import (\n        X,\n    )\n    return X\n"
    )
    assert code("probe.stage", "probe.ridge") == before


def test_a_constant_string_counts(package: Path):
    before = code("probe.ridge")
    (package / "probe/ridge.py").write_text(
        '"""Text."""\nimport numpy\nimport physprobe.core.deeper\nKIND = "a"\n'
    )
    assert code("probe.ridge") != before


def test_an_edit_that_is_taken_back_gives_the_old_one(package: Path):
    before, text = code("core.used"), (package / "core/used.py").read_text()
    (package / "core/used.py").write_text("X = 5\n")
    assert code("core.used") != before
    (package / "core/used.py").write_text(text)
    assert code("core.used") == before


def test_a_module_that_is_not_there_is_named(package: Path):
    with pytest.raises(ValueError, match=r"no module 'probe\.nothing'"):
        code("probe.nothing")


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("'clips'", "'films', every=3.0", False),
        ("{x} is there", "there is {x}", False),
        ("    log.done(f'{x} is there')\n", "", False),
        ("range(3)", "range(4)", True),
        ("y = x", "y = 2 * x", True),
    ],
)
def test_what_is_logged_does_not_count(package: Path, old: str, new: str, counts: bool):
    before = code("probe.told")
    stage = package / "probe/told.py"
    assert old in stage.read_text()
    stage.write_text(stage.read_text().replace(old, new))
    assert (code("probe.told") != before) == counts


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("spec: object", "spec: Spec", False),
        (": str", "", False),
        (" -> dict", "", False),
        ("if TYPE_CHECKING:\n    from physprobe.core.unused import Z\n", "", False),
        ("    from physprobe.core.unused import Z\n", "    pass\nelse:\n    Z = 3\n", True),
        ("for_: int) -> int", "for_: float) -> float", False),
        ("spec: object", "spec: object = None", True),
        ("size: int", "size: float", True),
    ],
)
def test_types_of_arguments_and_returns_do_not_count(
    package: Path, old: str, new: str, counts: bool
):
    before = code("probe.typed")
    stage = package / "probe/typed.py"
    assert old in stage.read_text()
    stage.write_text(stage.read_text().replace(old, new))
    assert (code("probe.typed") != before) == counts


def test_the_log_itself_does_not_count(package: Path):
    before = code("probe.told")
    (package / "store/log.py").write_text("def done(what): print(what)\n")
    assert code("probe.told") == before


def kept(package: Path) -> Path:
    (file,) = (package / "__pycache__").glob("fingerprints.*.json")
    return file


def test_what_was_read_is_kept_and_taken_while_the_source_is_the_same(
    package: Path, monkeypatch: pytest.MonkeyPatch
):
    before = code("probe.stage", "probe.told")
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint.ast, "parse", None)  # nothing is parsed again
        assert code("probe.stage", "probe.told") == before
    (package / "core/used.py").write_text("from . import deeper\nX = 2\n")
    edited = code("probe.stage", "probe.told")
    assert edited != before
    kept(package).unlink()
    assert code("probe.stage", "probe.told") == edited


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"rules": 1}', "rules"])
def test_what_was_kept_is_forgotten_where_it_is_damaged_or_of_other_rules(
    package: Path, damage: str
):
    before = code("probe.stage")
    content = json.loads(kept(package).read_text())
    content |= {
        "rules": "others",
        "modules": {"probe.stage": [content["modules"]["probe.stage"][0], [], ""]},
    }
    kept(package).write_text(json.dumps(content) if damage == "rules" else damage)
    assert code("probe.stage") == before


def test_nothing_is_kept_where_nothing_can_be_written(
    package: Path, monkeypatch: pytest.MonkeyPatch
):
    (package / "__pycache__").write_text("a file, where a folder would have to be")
    assert code("probe.stage") == code("probe.stage")
    (package / "__pycache__").unlink()
    monkeypatch.setattr(fingerprint.sys, "dont_write_bytecode", True)
    code("probe.stage")
    assert not (package / "__pycache__").exists()
