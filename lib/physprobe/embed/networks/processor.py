"""Processor: what a checkpoint says of its input, every field honoured or refused by name."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from physprobe.embed.networks.resize import RESAMPLE, Preprocessing

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
CLIP = {
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
CLASSES: dict[str, dict[str, Any]] = {
    "VJEPA2": {**IMAGENET, "resample": 2, "default_to_square": False},
    "VideoMAE": {**HALF, "resample": 2, "size": 224, "default_to_square": False},
    "Bit": {**CLIP, "resample": 3, "size": 224, "crop_size": 224, "default_to_square": False},
    "ViT": {**HALF, "resample": 2, "size": 224, "do_center_crop": False},
}
"""What transformers' processors take for fields that are not there or null."""
USUAL = {
    "vjepa2": "VJEPA2",
    "videomae": "VideoMAE",
    "dinov2": "Bit",
    "dinov2_with_registers": "Bit",
    "levjepa": "VJEPA2",
}
"""Processor of an architecture whose file names none."""
COMMON = {
    "do_resize": True,
    "do_center_crop": True,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "do_pad": False,
    "do_sample_frames": False,
    "default_to_square": True,
}
TYPES = ("video_processor_type", "image_processor_type", "feature_extractor_type")
HONOURED = (*COMMON, "size", "crop_size", "resample", "image_mean", "image_std")
HARMLESS = {
    *TYPES,
    "num_frames",  # with do_sample_frames alone
    "fps",
    "pad_size",  # with do_pad alone
    "do_convert_rgb",  # frames are rgb
    "data_format",  # of the caller's arrays
    "input_data_format",
    "device",
    "disable_grouping",
    "return_tensors",
    "return_metadata",
    "video_metadata",
    "image_seq_length",
    "processor_class",
    "auto_map",  # code of the checkpoint is never run
    "model_input_names",
    "model_valid_processing_keys",
    "transformers_version",
}
"""Fields that change no number here; so do those that are null or start with an underscore."""
LARGEST = 8192  # side of an image [px]


@dataclass(frozen=True)
class Processor:
    """Content of a processor file.

    Attributes
    ----------
    where : str
        The file, for messages.
    fields : dict
        What it says.
    usual : str
        Key of ``CLASSES`` that fills in what is missing, unless the file names another.
    """

    where: str
    fields: dict = field(default_factory=dict)
    usual: str = "VJEPA2"


def declared(
    processor: Processor,
    side: int,
    how: str,
    *,
    height: int,
    width: int,
    stretches: bool = False,
) -> Preprocessing:
    """Read size, crop and normalisation from what a checkpoint says.

    What is missing or null is as transformers' processor of that name has it; a missing
    ``crop_size`` is the network's side. V-JEPA 2's own processor puts int(256 / 224 crop) in the
    place of any ``size``; here the file is believed.

    Parameters
    ----------
    processor : Processor
        Of the checkpoint.
    side : int
        Side of the input that the network's positions are made for [px].
    how : str
        ``resize``: straight to the input, whatever the file says of the way there; ``crop``: as
        the file says.
    height, width : int
        Size of the frames that are going to be shown [px].
    stretches : bool
        Whether the input may have another side than that.

    Raises
    ------
    ValueError
        If a field is unknown, has a value that can't be honoured, or doesn't fit the network or
        the frames; the message names file and field.
    """
    fields = _Fields(processor)
    fields.refuse()
    if fields.true("do_normalize"):
        mean, std = fields.colours("image_mean"), fields.colours("image_std")
        if min(std) <= 0:
            raise fields.wrong("image_std", "numbers above 0")
    else:
        mean, std = (0.0,) * 3, (1.0,) * 3
    resample = fields["resample"]
    if type(resample) is not int or resample not in RESAMPLE:
        known = " or ".join(f"{code} ({name})" for code, name in RESAMPLE.items())
        raise fields.wrong("resample", known)
    crops, resizes = fields.true("do_center_crop"), fields.true("do_resize")
    short: int | None = None
    fixed: tuple[int, int] | None = None
    crop = fields.crop(side, stretches) if crops else None
    target = fields.target(crop or side)
    if how == "resize":
        found = _straight(target if crop is None else crop)
        if not resizes and found != (height, width):
            raise ValueError(
                f"{processor.where}: do_resize is false, but frames are {height} x {width} px and"
                f" the input {found[0]} x {found[1]}. Hint: render frames of that size."
            )
    else:
        if not resizes:
            fixed = (height, width)
        elif isinstance(target, int):
            short = target
        else:
            fixed = target
        resized = Preprocessing(crop=side, short=short, fixed=fixed).size(height, width)
        found = resized if crop is None else (crop, crop)
        if crop is not None and crop > min(resized):
            raise ValueError(
                f"{processor.where}: crop_size {crop} is larger than frames of {height} x {width}"
                f" px after resizing, {resized[0]} x {resized[1]}."
                " Hint: preprocess: resize shows them whole."
            )
    if found[0] != found[1]:
        raise ValueError(
            f"{processor.where}: the input would be {found[0]} x {found[1]} px; networks here see"
            " squares. Hint: set do_center_crop and a crop_size."
        )
    if found[0] != side and not stretches:
        what = "crop_size" if crops else "size"
        raise ValueError(
            f"{processor.where}: {what} {found[0]}, config.json has {side}."
            " Hint: both have to be what the network was trained with."
        )
    return Preprocessing(
        crop=found[0],
        short=short,
        fixed=fixed,
        mean=mean,
        std=std,
        resample=RESAMPLE[resample],
        scale=1 / fields.factor() if fields.true("do_rescale") else 1.0,
    )


def _straight(target: int | tuple[int, int]) -> tuple[int, int]:
    return (target, target) if isinstance(target, int) else target


class _Fields(Mapping):
    """Fields of a processor, with what transformers takes for missing ones."""

    def __init__(self, processor: Processor):
        self.where, given = processor.where, processor.fields
        self.given = {name: value for name, value in given.items() if value is not None}
        self.known = self.given
        for name in ("image_mean", "image_std"):
            if name in given and given[name] is None and self.given.get("do_normalize", True):
                raise ValueError(
                    f"{self.where}: found {name} null, expected three numbers."
                    " Hint: write them, or do_normalize: false."
                )
        self.known = {**COMMON, **CLASSES[self._class(processor.usual)], **self.given}

    def _class(self, usual: str) -> str:
        for name in TYPES:
            found = self.given.get(name)
            if found is None:
                continue
            bare = str(found)
            for ending in ("Fast", "Pil", "FeatureExtractor", "ImageProcessor", "VideoProcessor"):
                bare = bare.removesuffix(ending)
            if bare not in CLASSES:
                known = ", ".join(CLASSES)
                raise self.wrong(name, f"a processor of one of {known}, which alone are known here")
            return bare
        return usual

    def __getitem__(self, name: str) -> Any:
        return self.known[name]

    def __iter__(self) -> Any:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)

    def wrong(self, name: str, expected: str) -> ValueError:
        """Error about the value of a field."""
        found = self.get(name)
        shown = f"{found!r}" if name in self.given else "none"
        return ValueError(
            f"{self.where}: found {name} {shown}, expected {expected}."
            " Hint: write what the checkpoint was trained with."
        )

    def refuse(self) -> None:
        """Refuse fields that would change numbers in a way that isn't known here."""
        for name, value in self.given.items():
            if name in HONOURED or name in HARMLESS or name.startswith("_"):
                continue
            near = difflib.get_close_matches(name, HONOURED, n=1)
            raise ValueError(
                f"{self.where}: unknown field {name!r} ({value!r})."
                f"{f' Did you mean {near[0]!r}?' if near else ''}"
                " Hint: take it out if it changes no number."
            )
        if self.true("do_pad"):
            raise self.wrong("do_pad", "false: nothing is padded here")
        if self.true("do_sample_frames") and {"num_frames", "fps"} & set(self.given):
            raise self.wrong("do_sample_frames", "false: the config says which frames there are")

    def true(self, name: str) -> bool:
        """Value of a switch."""
        if not isinstance(self[name], bool):
            raise self.wrong(name, "true or false")
        return self[name]

    def factor(self) -> float:
        """What bytes are multiplied by."""
        found = self["rescale_factor"]
        if not _number(found) or found <= 0:
            raise self.wrong("rescale_factor", "a number above 0, such as 1/255")
        return found

    def colours(self, name: str) -> tuple[float, ...]:
        """Number of each colour."""
        found = [self[name]] * 3 if _number(self[name]) else self[name]
        if not isinstance(found, list) or len(found) != 3 or not all(map(_number, found)):
            raise self.wrong(name, "three finite numbers, one for each colour")
        return tuple(map(float, found))

    def crop(self, side: int, stretches: bool) -> int:
        """Side of the square that is cut out of the centre [px]."""
        if "crop_size" not in self.given and stretches and self.get("crop_size", side) != side:
            raise self.wrong(
                "crop_size",
                f"a number: transformers would take {self['crop_size']}, config.json has {side}",
            )
        if "crop_size" not in self.given:
            return side
        found = self._pair("crop_size", self["crop_size"])
        if found is None or found[0] != found[1]:
            raise self.wrong("crop_size", "a number, or equal height and width")
        return found[0]

    def target(self, crop: int) -> int | tuple[int, int]:
        """Size that frames are resized to [px]: that of the short side, or height and width."""
        size = self.get("size", int(crop * 256 / 224))
        if isinstance(size, dict) and set(size) == {"shortest_edge"}:
            size, square = size["shortest_edge"], False
        else:
            square = self.true("default_to_square")
        if not isinstance(size, dict | list) and not square:
            if not _pixels(size):
                raise self.wrong("size", f"whole numbers from 1 to {LARGEST}")
            return size
        found = self._pair("size", size)
        if found is None:
            raise self.wrong(
                "size", "{shortest_edge: ...} or {height: ..., width: ...}, the two known here"
            )
        return found

    def _pair(self, name: str, value: Any) -> tuple[int, int] | None:
        """Height and width; None if the value has another form."""
        match value:
            case {"height": height, "width": width} if len(value) == 2:
                found = height, width
            case [height, width]:
                found = height, width
            case int():
                found = value, value
            case _:
                return None
        if not all(map(_pixels, found)):
            raise self.wrong(name, f"whole numbers from 1 to {LARGEST}")
        return found


def _number(value: Any) -> bool:
    # nan compares with nothing, and a number beyond float32 is no colour
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e38


def _pixels(value: Any) -> bool:
    return type(value) is int and 1 <= value <= LARGEST
