"""Every field of a processor is honoured as transformers does, or refused by name (fault 5)."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil
from transformers.models.vivit.image_processing_vivit import VivitImageProcessor
from transformers.processing_utils import ImagesKwargs, VideosKwargs

from physprobe.embed.networks.processor import HARMLESS, HONOURED, RESAMPLE, Processor, declared

ORACLES = {
    "VideoMAE": VideoMAEImageProcessorPil,
    "Bit": BitImageProcessorPil,
    "ViT": ViTImageProcessorPil,
    "DeiT": DeiTImageProcessorPil,
    "CLIP": CLIPImageProcessorPil,
    "Siglip": SiglipImageProcessorPil,
}
WHOLE = ("ViT", "Siglip")  # those that show whole frames, squeezed
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
FIELDS = {"crop_size": 32, "size": {"shortest_edge": 36}, "image_mean": MEAN, "image_std": STD}


def read(
    fields: dict,
    how: str = "crop",
    *,
    usual: str = "VJEPA2",
    size: tuple = (48, 64),
    **more: object,
) -> object:
    processor = Processor("there/preprocessor_config.json", fields, usual)
    return declared(processor, 32, how, height=size[0], width=size[1], **more)


def vivit(**fields: object) -> Callable:
    """ViViT's processor, for one frame."""
    processor = VivitImageProcessor(**fields)
    return lambda frame, **how: processor([frame], **how)


def compare(usual: str, fields: dict, size: tuple[int, int]) -> np.ndarray:
    """Input as transformers prepares it, after ours was found to be the same: (rgb, y, x)."""
    y, x = np.meshgrid(*map(np.arange, size), indexing="ij")
    frame = np.stack([np.sin(x / 5 + c) + np.cos(y / (4 + c)) for c in range(3)], -1)
    frame = np.round((frame + 2) * 60).astype("uint8")
    ours = read(fields, usual=usual, size=size)(torch.from_numpy(frame)[None])[0].numpy()
    oracle = {**ORACLES, "Vivit": vivit}[usual](**fields)
    expected = np.asarray(oracle(frame, return_tensors="np")["pixel_values"])
    expected = expected.reshape(expected.shape[-3:])
    assert ours.shape == expected.shape
    # Pillow rounds to bytes after each of two directions; a byte counts by scale and std
    steps = [np.abs(np.diff(values, axis=-1)).max() for values in (ours, expected)]
    byte = (expected.max() - expected.min()) / 200
    np.testing.assert_allclose(ours, expected, atol=2 * byte)
    assert min(steps) > 2 * byte  # else the agreement would say nothing
    return expected


@pytest.mark.parametrize("size", [(48, 48), (48, 64), (64, 48)])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"do_normalize": False},
        {"do_rescale": False},
        {"do_rescale": False, "do_normalize": False},
        {"rescale_factor": 1 / 127.5},
        {"rescale_factor": 1 / 127.5, "do_normalize": False},
        {"image_mean": 0.25, "image_std": 0.5},
        {"resample": 3},
        {"size": {"height": 40, "width": 52}},
        {"size": [40, 36]},
        {"size": 40},
        {"size": 40, "default_to_square": True},
        {"size": {"height": 32, "width": 32}, "do_center_crop": False},
        {"do_resize": False},
        {"do_pad": None, "do_convert_rgb": True, "data_format": "channels_first"},
    ],
    ids=str,
)
def test_fields_are_honoured_as_transformers_does_fault_5(change: dict, size: tuple):
    compare("Bit", {**FIELDS, **change}, size)


@pytest.mark.parametrize("usual", ORACLES)
def test_missing_fields_are_those_of_the_class(usual: str):
    fields = {"size": {"height": 32, "width": 32}}
    if usual not in WHOLE:
        fields["crop_size"] = 32
    expected, found = ORACLES[usual](**fields), read(fields, usual=usual)
    assert found.mean == tuple(expected.image_mean)
    assert found.std == tuple(expected.image_std)
    assert found.scale == pytest.approx(1 / expected.rescale_factor)
    assert RESAMPLE[expected.resample] == found.resample
    assert read({**fields, "image_processor_type": f"{usual}ImageProcessor"}) == found
    compare(usual, fields, (48, 64))


@pytest.mark.parametrize("change", [{}, {"offset": False}, {"do_normalize": False}], ids=str)
def test_an_offset_is_honoured_as_vivit_does(change: dict):
    compare("Vivit", {"size": {"shortest_edge": 36}, "crop_size": 32, **change}, (48, 64))


def test_every_field_that_transformers_knows_is_known():
    for name in {*ImagesKwargs.__annotations__, *VideosKwargs.__annotations__}:
        assert name in HONOURED or name in HARMLESS, name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"do_normalise": False}, r"unknown field 'do_normalise'.*Did you mean 'do_normalize'"),
        ({"crop_pct": 0.9}, r"unknown field 'crop_pct' \(0.9\)"),
        ({"size_divisor": 8}, "unknown field 'size_divisor'"),
        ({"do_normalize": 0}, "found do_normalize 0, expected true or false"),
        ({"do_rescale": "no"}, "found do_rescale 'no', expected true or false"),
        ({"do_pad": True, "pad_size": 40}, "found do_pad True, expected false"),
        ({"do_sample_frames": True, "fps": 4}, "do_sample_frames True, expected false"),
        ({"rescale_factor": 0}, "found rescale_factor 0, expected a number above 0"),
        ({"rescale_factor": 10**400}, "found rescale_factor 1000"),
        ({"rescale_factor": "1/255"}, "found rescale_factor '1/255'"),
        ({"image_mean": None}, "found image_mean null, expected three numbers.*do_normalize"),
        ({"image_std": None}, "found image_std null"),
        ({"image_mean": [0.5]}, r"found image_mean \[0.5\], expected three finite"),
        ({"image_mean": [0.5, 0.5, float("nan")]}, "found image_mean .* three finite"),
        ({"image_std": [0.5, 0.5, 0]}, "found image_std .* numbers above 0"),
        ({"image_mean": "imagenet"}, "found image_mean 'imagenet'"),
        ({"resample": 1}, r"resample 1, expected 2 \(bilinear\) or 3 \(bicubic\)"),
        ({"resample": "bicubic"}, "resample 'bicubic', expected 2"),
        ({"size": {"longest_edge": 40}}, r"found size {'longest_edge': 40}, expected {shortest"),
        ({"size": {"shortest_edge": 36, "longest_edge": 99}}, "found size .*expected {shortest"),
        ({"size": {"shortest_edge": "36"}}, "found size .*whole numbers"),
        ({"size": {"shortest_edge": 0}}, "found size .*whole numbers"),
        ({"size": 1e9}, "found size .*whole numbers"),
        ({"crop_size": {"height": 32, "width": 48}}, "crop_size .*equal height and width"),
        ({"crop_size": {"height": 32}}, "crop_size .*equal height and width"),
        ({"crop_size": 40, "size": 48}, "crop_size 40, config.json has 32"),
        ({"do_center_crop": False}, "input would be 36 x 48 px"),
        (
            {"do_center_crop": False, "size": {"height": 36, "width": 36}},
            "size 36, config",
        ),
        ({"size": {"shortest_edge": 24}}, "crop_size 32 is larger than frames of 48 x 64 px"),
        ({"image_processor_type": "LlavaImageProcessor"}, "image_processor_type 'LlavaImage"),
    ],
    ids=str,
)
def test_fields_that_cannot_be_honoured_are_refused_by_name_fault_5(change: dict, message: str):
    with pytest.raises(ValueError, match=rf"^there/preprocessor_config.json: .*{message}") as error:
        read({**FIELDS, **change})
    assert "\n" not in str(error.value)
    assert "Hint: " in str(error.value)


def test_frames_too_small_to_be_cut_are_refused():
    with pytest.raises(ValueError, match=r"crop_size 32 is larger than frames of 24 x 24 px"):
        read({**FIELDS, "do_resize": False}, size=(24, 24))
    with pytest.raises(ValueError, match=r"do_resize is false, but frames are 48 x 64 px"):
        read({**FIELDS, "do_resize": False}, "resize")
    assert read({**FIELDS, "do_resize": False}, "resize", size=(32, 32)).crop == 32


def test_resize_goes_straight_to_the_input_and_keeps_the_rest():
    found = read({**FIELDS, "do_normalize": False, "rescale_factor": 1 / 127.5}, "resize")
    assert (found.crop, found.short, found.fixed) == (32, None, None)
    assert found.size(48, 64) == (32, 32)
    assert (found.mean, found.std, found.scale) == ((0, 0, 0), (1, 1, 1), 127.5)


def test_a_network_that_stretches_has_a_declared_crop():
    fields = {name: value for name, value in FIELDS.items() if name != "crop_size"}
    assert read({**FIELDS, "crop_size": 48, "size": 48}, usual="Bit", stretches=True).crop == 48
    with pytest.raises(ValueError, match=r"crop_size none, .*transformers would take 224"):
        read(fields, usual="Bit", stretches=True)
