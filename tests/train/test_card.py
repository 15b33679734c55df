"""Cards: what the hub shows of an encoder that ships."""

from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from physprobe.config import shipped


@pytest.mark.parametrize("name", shipped.names())
def test_a_folder_that_ships_is_one_that_the_hub_takes(name: str):
    folder = shipped.ENCODERS / name
    card = ModelCard.load(folder / "README.md")
    assert (card.data.license, card.data.library_name) == ("mit", "transformers")
    assert card.data.pipeline_tag == "feature-extraction" and "physprobe" in card.data.tags
    for part in ("Data", "Recipe", "Metrics", "Gate", "Use", "Limits"):
        assert f"**{part}.**" in card.text, part
    assert (folder / "verdicts.json").exists(), "what it says of the gate"
    assert not list(Path(folder).glob("card*")), "the hub reads README.md"
