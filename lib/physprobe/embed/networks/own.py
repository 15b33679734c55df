"""Own: what a user's function has given, a torch module that is read or an object that embeds."""

import difflib
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from fnmatch import fnmatchcase
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from physprobe.embed import _axes
from physprobe.embed._encoder import versions
from physprobe.embed._own_settings import Settings
from physprobe.embed.networks import draws, pool
from physprobe.embed.networks.frozen import Frozen, States
from physprobe.embed.networks.resize import Preprocessing

SHOWN = 12
COMPANY = 1e-3  # of the largest value: rounding of products of another size stays far below
FRONT = 8  # tokens in front that are thought of: class, distillation, registers


class Embeds(Protocol):
    """What a function may give in place of a torch module: anything with this method."""

    def encode(self, video: np.ndarray) -> np.ndarray:
        """Embed some clips, or windows of them.

        Parameters
        ----------
        video : ndarray
            (clip, frame, y, x, rgb) uint8, as rendered.

        Returns
        -------
        ndarray
            (clip, layer, time, feature), or (clip, layer, time, y, x, feature) where places in the
            frame are known; ``tubelet`` frames for each time; finite.
        """
        ...


class Own(Frozen):
    """What is the same of both."""

    def __init__(self, spec: Settings, where: str, frames: int, threads: int):
        self.spec: Settings = spec
        super().__init__(spec, frames=frames, threads=threads)
        self.where = where

    @property
    def tubelet(self) -> int:
        """Frames per token."""
        return self.spec.tubelet

    @property
    def at_once(self) -> int | None:
        """Frames per forward pass; None: as many as there are."""
        return self.spec.at_once

    @property
    def called(self) -> str:
        """What it is, for messages."""
        return f"model of at_once: {self.spec.at_once}"

    def _number(self, count: int) -> None:
        """Name layers as those of other networks: by number, the last one ``final``."""
        self.layers = (*(str(k) for k in range(count - 1)), "final")

    def _try(self, height: int, width: int) -> torch.Tensor:
        """A window of noise, to see what comes of it."""
        length = self.windows[0].shape[1]
        noise = np.random.default_rng(0).integers(0, 256, (length, height, width, 3), "uint8")
        with torch.inference_mode():
            return self._prepared(torch.from_numpy(noise).to(self.device))[None]

    def _about(self, label: str, **more: object) -> dict:
        return {
            "label": label + self.spec.manner(),
            "hf_repo": self.spec.model,
            "revision": None,
            "weights_hash": None,
            "device": self.device.type,
            "dtype": "float32",
            "versions": versions("torch", "numpy", "scipy"),
            **more,
        }

    def _failed(self, error: Exception, shape: Sequence[int]) -> ValueError:
        """Error about what the user's code raised."""
        return ValueError(
            f"{self.where}: given {tuple(shape)}, it raised {type(error).__name__}: {error}."
            + (f" Hint: input is {self.spec.input!r}." if self.spec.input else "")
        )


class Read(Own):
    """A torch module, of which modules are read in one forward pass."""

    dtype = "float16"

    def __init__(
        self,
        network: nn.Module,
        spec: Settings,
        where: str,
        *,
        frames: int,
        height: int,
        width: int,
        threads: int,
    ):
        super().__init__(spec, where, frames, threads)
        label = spec.model
        if spec.seeds:
            draws.redraw(network, spec.seeds[0], spec.init)
            label = f"untrained, {spec.model}, {spec.init} init, seed {spec.seeds[0]}"
        self.network = network.to(self.device, torch.float32).eval().requires_grad_(False)
        self.input = _axes.parsed(spec.input or "", "btchw", "btchw")
        self.output = _axes.parsed(spec.output or "", "bthwd", "bd")
        self.preprocessing = _preprocessing(spec, height, width)
        rows, columns = self.preprocessing.shown(height, width)
        self._wide = columns / rows
        names = _named(network, spec.read, where)
        self._number(len(names))
        self.modules = {
            layer: network.get_submodule(name)
            for layer, name in zip(self.layers, names, strict=True)
        }
        self._names = dict(zip(self.layers, names, strict=True))
        self._check_tokens()
        self._learn(self._try(height, width))
        weights = network.state_dict().items()
        self.provenance = self._about(
            label,
            **({"hf_repo": "untrained"} if spec.seeds else {}),
            weights_hash=_hash(weights),
            modules=self._names,
        )

    def _prepared(self, frames: torch.Tensor) -> torch.Tensor:
        return self.preprocessing(frames)

    def _learn(self, frames: torch.Tensor) -> None:
        """See what each module gives, and that it is what it should be."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (shape, error) in self._tried(frames).items():
            if error:
                raise self._unlike(layer, shape, frames.shape, error)
            shapes[layer] = shape
        widths = {layer: shape[-1] for layer, shape in shapes.items()}
        odd = next((a for a in self.layers if widths[a] != widths[self.layers[0]]), None)
        if odd is not None:
            raise ValueError(
                f"{self.where}: {self._names[self.layers[0]]} has {widths[self.layers[0]]}"
                f" features, {self._names[odd]} {widths[odd]}. Hint: read what is equally wide in"
                " one entry, and the rest in an entry of its own."
            )
        self._check_company(frames)
        kept = self.spec.tokens or self.layers
        grids = {layer: (shapes[layer][2], shapes[layer][3]) for layer in kept}
        for layer, grid in grids.items():
            if self.spec.tokens and grid != grids[kept[0]]:
                raise ValueError(
                    f"{self.where}: tokens of layer {kept[0]} lie in {grids[kept[0]]} rows and"
                    f" columns, of {layer} in {grid}. Hint: keep those of one of them."
                )
        self.features, self.grid = widths["final"], grids[kept[-1]]

    def _check_company(self, frames: torch.Tensor) -> None:
        """Refuse a network by which a window is another one in other company.

        Raises
        ------
        ValueError
            If windows of one batch are mixed up; the message names the first module.
        """
        with torch.inference_mode():
            alone, _ = self._states(frames)
            beside, _ = self._states(torch.cat([frames, frames.flip(-1)]))
        for layer in self.layers:
            own, other = alone[layer][0], beside[layer][0]
            if (own - other).abs().max() > COMPANY * own.abs().max():
                raise ValueError(
                    f"{self.where}, module {self._names[layer]}: gives another value for a window"
                    " that is shown together with a second one. Hint: does it run over all of a"
                    " batch? input and output say which dimension b is."
                )

    def _tried(self, frames: torch.Tensor) -> dict[str, tuple[tuple[int, ...], str | None]]:
        """Shape of what each module gives, and what is wrong with it."""
        runs: dict[str, list] = {layer: [] for layer in self.layers}
        handles = [
            module.register_forward_hook(lambda _, __, out, layer=layer: runs[layer].append(out))
            for layer, module in self.modules.items()
        ]
        try:
            with torch.inference_mode():
                self._run(frames)
        finally:
            for handle in handles:
                handle.remove()
        return {layer: self._shape(outputs, frames) for layer, outputs in runs.items()}

    def _shape(self, runs: list, frames: torch.Tensor) -> tuple[tuple[int, ...], str | None]:
        if len(runs) != 1:
            often = f"{len(runs)} times" if runs else "not at all"
            return (), f"it runs {often} in a forward pass, expected once"
        found = pool.first(runs[0])
        if not isinstance(found, torch.Tensor):
            return (
                (),
                f"gives a {type(found).__name__}, expected a tensor, alone or first of a tuple",
            )
        windows, times = len(frames), frames.shape[1] // self.tubelet
        try:
            values = self._sorted(found, windows, times)
        except ValueError as error:
            return tuple(found.shape), f"{error}{self._front(found, windows, times)}"
        if not torch.isfinite(values).all():
            return tuple(found.shape), "holds values that aren't finite"
        return tuple(values.shape), None

    def _unlike(
        self, layer: str, shape: tuple[int, ...], shown: Sequence[int], error: str
    ) -> ValueError:
        """Error about what a module gives."""
        gives = f" gives {shape} for {_frames_of(shown)}" if shape else ""
        hint = (
            f" Hint: output {_axes.written(self.output)!r}, tubelet {self.tubelet}, prefix"
            f" {self.spec.prefix} say what there is."
        )
        if not shape:
            name = self._names[layer]
            within = list(self.modules[layer].children())
            those = f" Did you mean '{name}.*'?" if len(within) > 1 else ""
            hint = (
                f"{those} Hint: python -m physprobe modules {self.spec.model} lists all that run."
            )
        return ValueError(f"{self.where}, module {self._names[layer]}{gives}: {error}.{hint}")

    def _front(self, found: torch.Tensor, windows: int, times: int) -> str:
        """What to say where a few more tokens in front would explain a shape."""
        for prefix in range(self.spec.prefix + 1, self.spec.prefix + FRONT + 1):
            with suppress(ValueError):
                self._sorted(found, windows, times, prefix)
                return f"; prefix: {prefix} would fit"
        return ""

    def _sorted(
        self, values: torch.Tensor, windows: int, times: int, prefix: int | None = None
    ) -> torch.Tensor:
        return _axes.tokens(
            values,
            self.output,
            {"b": windows, "t": times},
            prefix=self.spec.prefix if prefix is None else prefix,
            wide=self._wide,
        )

    def _run(self, frames: torch.Tensor) -> None:
        shown = _axes.arranged(frames, self.input)
        try:
            self.network(shown)
        except Exception as error:  # whatever the user's code raises
            raise self._failed(error, shown.shape) from error

    def _states(self, frames: torch.Tensor) -> States:
        windows, times = len(frames), frames.shape[1] // self.tubelet

        def arrange(values: torch.Tensor) -> torch.Tensor:
            return self._sorted(values, windows, times)

        hooked: AbstractContextManager[States] = pool.hooked(
            self.modules, arrange, tokens=self.spec.tokens, last=self.spec.causal
        )
        with hooked as found:
            self._run(frames)
        return found


class Asked(Own):
    """An object that embeds clips by itself."""

    dtype = "float32"

    def __init__(
        self,
        embeds: Embeds,
        spec: Settings,
        where: str,
        *,
        frames: int,
        height: int,
        width: int,
        threads: int,
    ):
        super().__init__(spec, where, frames, threads)
        self.embeds = embeds
        shape = self._ask(self._try(height, width)).shape
        self._number(shape[1])
        self._check_tokens()
        if spec.tokens and len(shape) == 4:
            raise ValueError(f"{where}: encode gives no places in the frame, so no tokens.")
        self.features, self.grid = shape[-1], (shape[3], shape[4]) if len(shape) == 6 else (1, 1)
        self.provenance = self._about(spec.model)

    def _prepared(self, frames: torch.Tensor) -> torch.Tensor:
        return frames

    def _ask(self, frames: torch.Tensor) -> np.ndarray:
        """What it makes of windows, if that is what it has to be."""
        try:
            given = self.embeds.encode(frames.cpu().numpy())
        except Exception as error:  # whatever the user's code raises
            raise self._failed(error, frames.shape) from error
        given = given.cpu().numpy() if isinstance(given, torch.Tensor) else np.asarray(given)
        start = f"{self.where}: encode gives {given.shape} {given.dtype}"
        times = frames.shape[1] // self.tubelet
        expected = f"({len(frames)}, layer, {times}, [y, x,] feature) of numbers"
        if given.ndim not in (4, 6) or given.dtype.kind not in "fiu" or 0 in given.shape:
            raise ValueError(f"{start} for {_frames_of(frames.shape)}, expected {expected}.")
        if (given.shape[0], given.shape[2]) != (len(frames), times):
            raise ValueError(
                f"{start} for {_frames_of(frames.shape)}, expected {expected}."
                f" Hint: tubelet: {self.tubelet} says how many frames a time is of."
            )
        return given

    def _states(self, frames: torch.Tensor) -> States:
        given = torch.from_numpy(self._ask(frames).astype("float32"))
        if given.shape[1] != len(self.layers) or given.shape[-1] != self.features:
            raise ValueError(
                f"{self.where}: encode gave {len(self.layers)} layers of {self.features} features"
                f" before, and now {given.shape[1]} of {given.shape[-1]}."
            )
        given = given[:, :, -1:] if self.spec.causal else given
        by_layer: dict[str, Any] = dict(zip(self.layers, given.unbind(1), strict=True))
        spatial = {layer: by_layer[layer] for layer in self.spec.tokens}
        if given.ndim == 6:
            by_layer = {layer: values.mean((2, 3)) for layer, values in by_layer.items()}
        return by_layer, spatial


def encoder(built: object, spec: Settings, where: str, **sizes: int) -> Own:
    """Encoder of what the user's function has given.

    Parameters
    ----------
    built : Module, or Embeds
    spec : Settings
    where : str
        File and function, for messages.
    **sizes : int
        ``frames``, ``height``, ``width``, ``threads``.

    Raises
    ------
    ValueError
        If it is neither, or doesn't fit the entry or the clips.
    """
    if spec.read:
        if not isinstance(built, nn.Module):
            raise ValueError(
                f"{where}: gives a {type(built).__name__}, expected a torch.nn.Module, of which"
                f" {', '.join(spec.read)} can be read. Hint: leave out read for what embeds itself."
            )
        return Read(built, spec, where, **sizes)
    if callable(getattr(built, "encode", None)):
        return Asked(built, spec, where, **sizes)  # type: ignore[arg-type]  # it has
    hint = ""
    if isinstance(built, nn.Module):
        hint = f" Hint: name modules to read, with input and output; it has {_children(built)}."
    raise ValueError(f"{where}: gives a {type(built).__name__} without encode.{hint}")


def listed(
    built: object, spec: Settings, where: str, *, frames: int, height: int, width: int
) -> tuple[tuple[int, ...], list[tuple[str, str, str]]]:
    """What a torch module is given of a clip of noise, and each of its modules that runs.

    Returns
    -------
    given : tuple of int
        Shape of the clip, as it is shown.
    lines : list of (name, class, output)

    Raises
    ------
    ValueError
        If it is no torch module, or fails.
    """
    if not isinstance(built, nn.Module):
        raise ValueError(f"{where}: gives a {type(built).__name__}, which has no modules.")
    network = built.eval()
    noise = np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), "uint8")
    shown = _preprocessing(spec, height, width)(torch.from_numpy(noise))[None, : spec.at_once]
    given = _axes.arranged(shown, _axes.parsed(spec.input or "", "btchw", "btchw"))
    found: list[tuple[str, str, str]] = []

    def note(name: str, module: nn.Module, output: Any) -> None:
        value = pool.first(output)
        told = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
        found.append((name, type(module).__name__, str(told)))

    handles = [
        module.register_forward_hook(lambda module, _, out, name=name: note(name, module, out))
        for name, module in network.named_modules()
        if name
    ]
    try:
        with torch.inference_mode():
            network(given)
    except Exception as error:  # whatever the user's code raises
        line = f"given {tuple(given.shape)}, it raised {type(error).__name__}: {error}"
        raise ValueError(f"{where}: {line}. Hint: input is {spec.input!r}.") from error
    finally:
        for handle in handles:
            handle.remove()
    order = {name: place for place, (name, _) in enumerate(network.named_modules())}
    return tuple(given.shape), sorted(found, key=lambda line: order[line[0]])


def _named(network: nn.Module, read: Sequence[str], where: str) -> list[str]:
    """Modules that patterns name, in the order of the patterns, then of the module."""
    names = [name for name, _ in network.named_modules() if name]
    found: list[str] = []
    for pattern in read:
        parts = pattern.split(".")
        those = [
            name
            for name in names
            if len(own := name.split(".")) == len(parts)
            and all(map(fnmatchcase, own, parts))
            and name not in found
        ]
        if not those and pattern not in found:
            near = difflib.get_close_matches(pattern, names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" It has {_children(network)}."
            raise ValueError(f"{where}: no module {pattern!r}.{hint}")
        found += those
    return found


def _children(network: nn.Module) -> str:
    """Modules of a network, those of the upper two levels, for messages."""
    names = [name for name, _ in network.named_modules() if name and name.count(".") < 2]
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _preprocessing(spec: Settings, height: int, width: int) -> Preprocessing:
    size = spec.size
    if size is None:
        return Preprocessing(
            crop=max(height, width), fixed=(height, width), mean=spec.mean, std=spec.std
        )
    return Preprocessing(
        crop=size,
        short=(spec.short or size) if spec.preprocess == "crop" else None,
        mean=spec.mean,
        std=spec.std,
        resample=spec.resample,
    )


def _frames_of(shape: Sequence[int]) -> str:
    clips, frames = shape[:2]
    rows, columns = shape[2:4] if shape[-1] == 3 else shape[3:5]
    return f"{clips} clip{'s' * (clips > 1)} of {frames} frames of {rows} x {columns} px"


def _hash(tensors: Any) -> str:
    from physprobe.embed.networks.checkpoint import weights_hash

    return weights_hash(tensors)
