"""Transformer: the forward pass that architectures share, with trained or random weights."""

from typing import Any, ClassVar

import torch
from torch import nn
from transformers import PreTrainedModel

from physprobe.embed._encoder import versions
from physprobe.embed.networks import attention, pool
from physprobe.embed.networks.frozen import Frozen, States
from physprobe.embed.networks.network import Network
from physprobe.embed.networks.resize import Preprocessing


class VideoTransformer(Frozen):
    """A frozen transformer: see :class:`physprobe.embed.networks.frozen.Frozen`.

    What sets an architecture apart is in its subclass, all of it.

    Parameters
    ----------
    model : PreTrainedModel
        Of class ``MODEL``.
    spec : Network
        How clips are shown and what is kept.
    preprocessing : Preprocessing
        Size, crop and normalisation.
    frames : int
        Frames per clip.
    threads : int
        Threads on a CPU.
    provenance : dict
        Label and origin of the weights.

    Attributes
    ----------
    MODEL : type
        Class of transformers that its checkpoints are read with.
    ARGUMENTS : dict
        What ``MODEL`` is made with besides its config, so that nothing is made that no embedding
        needs.
    PART : str
        How names of its tensors begin in a checkpoint of a larger model.
    HEADS : tuple of str
        How names begin of a checkpoint's tensors that no embedding needs.
    WITHOUT : dict
        Fields of config.json that leave out what no embedding needs, where weights are drawn.
    SIDE : str
        Field of config.json with the side of the input that positions are made for [px].
    STRETCHES : bool
        Whether positions are interpolated for inputs of another size.

    Raises
    ------
    ValueError
        If clips or windows can't be cut as they have to be, or ``tokens`` names no layer.
    """

    MODEL: ClassVar[type[PreTrainedModel]]
    ARGUMENTS: ClassVar[dict[str, Any]] = {}
    PART: ClassVar[str] = ""
    HEADS: ClassVar[tuple[str, ...]] = ()
    WITHOUT: ClassVar[dict[str, int]] = {}
    SIDE: ClassVar[str] = "image_size"
    STRETCHES: ClassVar[bool] = False

    def __init__(
        self,
        model: PreTrainedModel,
        spec: Network,
        preprocessing: Preprocessing,
        *,
        frames: int,
        threads: int,
        provenance: dict,
    ):
        self.config = config = model.config
        super().__init__(spec, frames=frames, threads=threads)
        self.preprocessing = preprocessing
        side = preprocessing.crop // self.patch
        for name in ("frames_per_clip", "num_frames"):
            seen = getattr(config, name, self.tubelet)
            if seen % self.tubelet:
                raise ValueError(
                    f"config.json: {name} is {seen}, no multiple of tubelet_size, {self.tubelet}."
                )
        if not side:
            raise ValueError(
                f"config.json: patch_size {self.patch} is larger than the input,"
                f" {preprocessing.crop} px."
            )
        self.grid, self.features = (side, side), config.hidden_size
        self.layers = (*(str(k) for k in range(config.num_hidden_layers + 1)), "final")
        self._check_tokens()
        self.precision = self._precision()
        network = self.network_of(model).to(self.device, self.precision)
        self.network = network.eval().requires_grad_(False)
        self._accelerated = self.device.type == "cpu" and self._accelerate()
        self.attention = self._attention()
        self.modules = dict(zip(self.layers, self._modules(), strict=True))
        self.provenance = {
            **provenance,
            "label": provenance["label"] + spec.manner(),
            "device": self.device.type,
            "dtype": str(self.precision).removeprefix("torch."),
            "products": "oneDNN" if self._accelerated else "torch",
            "attention": self.attention
            or ("oneDNN" if self._accelerated else config._attn_implementation),
            "versions": versions("torch", "transformers", "numpy", "scipy"),
        }

    @property
    def tubelet(self) -> int:
        """Frames per token."""
        return self.config.tubelet_size

    @property
    def patch(self) -> int:
        """Side of a token [px]."""
        return self.config.patch_size

    @property
    def called(self) -> str:
        """Class of transformers."""
        return self.MODEL.__name__

    @property
    def ahead(self) -> int:
        """Tokens in front of the spatial ones; they are left out."""
        return 0

    @staticmethod
    def network_of(model: PreTrainedModel) -> nn.Module:
        """Part of the model that is run."""
        return model

    def _precision(self) -> torch.dtype:
        """Type of numbers: bf16 products are some fifty times slower than float32 on most CPUs."""
        return torch.bfloat16 if self.device.type == "cuda" else torch.float32

    def _attention(self) -> str | None:
        """Backend of attention, chosen on a GPU; elsewhere it is what torch takes by itself."""
        if self.device.type != "cuda" or self.config._attn_implementation != "sdpa":
            return None
        return self._backends()[0]

    def _backends(self) -> list[str]:
        """Backends that can run this network's attention, the one that is wanted most first."""
        heads = self.config.num_attention_heads
        longest = max(windows.shape[1] for windows in self.windows)
        return attention.runnable(
            self.device,
            self.precision,
            heads=heads,
            tokens=longest // self.tubelet * self.grid[0] * self.grid[1],
            width=self.features // heads,
        )

    def _accelerate(self) -> bool:
        """Replace layers by faster ones, on a CPU, and say whether there are any."""
        return False

    def _modules(self) -> tuple[nn.Module, ...]:
        """Modules that give the layers: patch embedding, blocks, final norm."""
        raise NotImplementedError

    def _forward(self, frames: torch.Tensor) -> None:
        """Run the network on windows (window, frame, rgb, y, x)."""
        raise NotImplementedError

    def _arranged(self, hidden: torch.Tensor) -> torch.Tensor:
        """Hidden states (window, token, feature) as (window, time, y, x, feature)."""
        return hidden[:, self.ahead :].unflatten(1, (-1, *self.grid))

    def _prepared(self, frames: torch.Tensor) -> torch.Tensor:
        return self.preprocessing(frames)

    def _states(self, frames: torch.Tensor) -> States:
        hooked = pool.hooked(
            self.modules, self._arranged, tokens=self.spec.tokens, last=self.spec.causal
        )
        with attention.using(self.attention), hooked as found:
            self._forward(frames.to(self.precision))
        return found
