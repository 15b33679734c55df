"""Stills: a folder of png, jpg or tif files is a film, its frames in the order of their numbers."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from physprobe.scenes.films.film import Faulty, Film, Image

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
PLAIN = {"1", "L", "RGB", "P", "LA", "RGBA", "PA", "I;16", "I;16B", "I;16L"}
SHOWN = 4


def paths(folder: Path) -> list[Path]:
    """Frames of a folder in order.

    Raises
    ------
    Faulty
        If a file has no number, or a number is missing or there twice.
    """
    found: dict[int, Path] = {}
    faults, nameless = [], []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in ENDINGS or path.name.startswith("."):
            continue
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            nameless.append(path.name)
        elif (number := int(digits[-1])) in found:
            faults.append(f"frame {number} is there twice: {found[number].name}, {path.name}")
        else:
            found[number] = path
    if nameless:
        faults.append(f"{len(nameless)} images have no number, such as {nameless[0]}")
    numbers = sorted(found)
    steps = np.diff(numbers)
    if len(steps) and (gaps := np.flatnonzero(steps != np.bincount(steps).argmax())).size:
        first = int(gaps[0])
        faults.append(
            f"frames are missing in {gaps.size} places, the first between"
            f" {found[numbers[first]].name} and {found[numbers[first + 1]].name}"
        )
    if faults:
        raise Faulty(*faults)
    return [found[number] for number in numbers]


def look(folder: Path, threads: int = 1) -> Film:
    """Read every frame of a folder, and say what they are.

    Raises
    ------
    Faulty
        If one is missing, damaged or unlike the others; every reason, with numbers.
    """
    faults: list[str] = []
    notes: dict[str, None] = {}
    sizes: dict[tuple[int, int], list[str]] = {}
    names = paths(folder)
    for path in names:
        try:
            image = _read(path, notes)
        except Faulty as error:
            faults += [f"{path.name} {reason}" for reason in error.reasons]
        else:
            sizes.setdefault(image.shape[:2], []).append(path.name)
    if len(faults) > SHOWN:
        faults = [*faults[:SHOWN], f"and {len(faults) - SHOWN} frames more"]
    if len(sizes) > 1:
        most = max(sizes, key=lambda size: len(sizes[size]))
        odd = [(size, name) for size, names_ in sizes.items() for name in names_ if size != most]
        faults.append(
            f"{len(odd)} of {len(names)} frames are of another size, such as {odd[0][1]}:"
            f" {odd[0][0][0]} x {odd[0][0][1]} px, expected {most[0]} x {most[1]}"
        )
    if faults:
        raise Faulty(*faults)
    (size,) = sizes
    return Film(None, 0.0, size, 1.0, digest(folder), len(names), tuple(notes))


def frames(folder: Path, threads: int = 1) -> Iterator[Image]:
    """Frames (y, x, rgb) uint8 of a folder that :func:`look` has passed; pixels are square."""
    return ((_read(path, {}), 1.0) for path in paths(folder))


def digest(folder: Path) -> str:
    """Digest of all frames' content, in order."""
    total = hashlib.sha256()
    for path in paths(folder):
        content = path.read_bytes()
        total.update(f"{path.name} {len(content)} ".encode() + content)
    return total.hexdigest()


def _read(path: Path, notes: dict[str, None]) -> np.ndarray:
    """One image (y, x, rgb) uint8; notes what was taken care of."""
    import PIL.Image
    import PIL.ImageOps

    if not path.stat().st_size:
        raise Faulty("is empty (0 bytes)")
    try:
        with PIL.Image.open(path) as image:
            if (several := getattr(image, "n_frames", 1)) > 1:
                raise Faulty(f"holds {several} images, expected 1")
            if image.mode not in PLAIN:
                raise Faulty(f"is of mode {image.mode}, expected gray or colour of 8 or 16 bits")
            image.load()
            return _rgb(image, PIL.ImageOps, notes)
    except PIL.UnidentifiedImageError:
        raise Faulty(f"is no image that can be read ({path.stat().st_size} bytes)") from None
    except (OSError, SyntaxError) as error:
        raise Faulty(f"can't be decoded ({path.stat().st_size} bytes): {error}") from None


def _rgb(image: Any, operations: Any, notes: dict[str, None]) -> np.ndarray:
    if image.mode.startswith("I;16"):
        notes["16 bits a colour are read as 8"] = None
        values = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(values[..., None], 3, axis=2)
    if image.getexif().get(0x0112, 1) != 1:
        notes["turned as its EXIF says"] = None
        image = operations.exif_transpose(image)
    maybe = image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info
    if maybe and (np.asarray(image.convert("RGBA"))[..., 3] < 255).any():
        raise Faulty("has transparent pixels; a frame has a colour everywhere")
    return np.asarray(image.convert("RGB"))
