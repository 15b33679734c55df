"""Checkpoints: which files of a folder a network is read from. Light: no tensor is looked at."""

import json
from collections.abc import Iterable
from pathlib import Path

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
NESTED = "processor_config.json"
VIDEO = "video_preprocessor_config.json"
IMAGE = "preprocessor_config.json"
PROCESSORS = (NESTED, VIDEO, IMAGE)
"""Files that may say how frames are prepared, first come first served."""
POINTER = b"version https://git-lfs"


def content(file: Path) -> dict:
    """Object that a JSON file holds.

    Parameters
    ----------
    file : Path
        Of a checkpoint's folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it can't be read, is empty, cut, no JSON or no object; the message names it.
    """
    try:
        text = file.read_bytes()
        found = json.loads(text) if text.strip() else None
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{file}: no such file. Hint: save the model with save_pretrained, which writes it."
        ) from None
    except OSError as error:
        raise ValueError(f"{file}: can't be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        if text.startswith(POINTER):
            raise ValueError(pointer(file)) from None
        raise ValueError(
            f"{file}: found no JSON ({_line(error)}). Hint: fetch or save the file again."
        ) from None
    if not isinstance(found, dict):
        what = "an empty file" if found is None else f"a {type(found).__name__}"
        raise ValueError(
            f"{file}: found {what}, expected a JSON object. Hint: fetch or save the file again."
        )
    return found


def pointer(file: Path) -> str:
    """What to say of a file that git-lfs has not fetched."""
    return (
        f"{file}: found a git-lfs pointer, not the file itself."
        " Hint: run `git lfs pull` in its repository."
    )


def shards(folder: Path) -> tuple[str, ...]:
    """Names of the files that hold a checkpoint's tensors, as transformers chooses them.

    Parameters
    ----------
    folder : Path
        With ``model.safetensors``, or else an index of shards.

    Raises
    ------
    ValueError
        If the index is broken, or a shard would lie elsewhere.
    """
    index = folder / INDEX
    if (folder / WEIGHTS).exists() or not index.exists():
        return (WEIGHTS,)
    named = content(index).get("weight_map")
    if not isinstance(named, dict) or not named:
        raise ValueError(
            f"{index}: found no weight_map from tensors to files."
            " Hint: save the model with save_pretrained."
        )
    for name in named.values():
        if not isinstance(name, str) or Path(name).name != name or "\\" in name:
            raise ValueError(
                f"{index}: found the shard {name!r}, expected a file of the same folder."
                " Hint: put the shards beside the index, and name them without a folder."
            )
        if not name.endswith(".safetensors"):
            raise ValueError(
                f"{index}: found the shard {name!r}; only *.safetensors are read."
                " Hint: save the model with save_pretrained."
            )
    return tuple(sorted(set(named.values())))


def files(folder: Path, *, weights: bool = True) -> list[Path]:
    """Every file that is read when a network is loaded from a folder, of those that are there.

    Parameters
    ----------
    folder : Path
        Checkpoint.
    weights : bool
        Whether its tensors are read too.
    """
    names: Iterable[str] = (CONFIG, *PROCESSORS)
    if weights:
        try:
            names = (*names, *_tensors(folder))
        except ValueError:  # the job that reads the index says what is wrong with it
            names = (*names, INDEX)
    return sorted(folder / name for name in names if (folder / name).is_file())


def _tensors(folder: Path) -> tuple[str, ...]:
    found = shards(folder)
    return found if found == (WEIGHTS,) else (INDEX, *found)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
