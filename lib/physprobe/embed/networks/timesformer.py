"""TimeSformer: of its tokens, time is fastest: rows, columns, times, after a class token."""

import torch
from torch import nn
from transformers import TimesformerModel

from physprobe.embed.networks.transformer import VideoTransformer


class TimeSformer(VideoTransformer):
    """A TimeSformer.

    Its embeddings would interpolate other lengths of time, but its blocks take ``num_frames`` for
    granted and mix tokens up, without a word: it is shown just so many.

    Raises
    ------
    ValueError
        If it attends over frames one by one (``attention_type: space_only``).
    """

    MODEL = TimesformerModel
    network: TimesformerModel
    HEADS = ("classifier.",)

    @property
    def tubelet(self) -> int:
        """Frames per token."""
        return 1

    @property
    def at_once(self) -> int:
        """Frames per forward pass, neither more nor less."""
        return self.config.num_frames

    @property
    def ahead(self) -> int:
        """The class token of the whole window, in front of the patches."""
        return 1

    def _modules(self) -> tuple[nn.Module, ...]:
        if self.config.attention_type == "space_only":
            raise ValueError(
                "config.json: attention_type is 'space_only', which isn't read here. Hint: one with"
                " divided_space_time or joint_space_time is."
            )
        network = self.network
        return network.embeddings, *network.encoder.layer, network.layernorm

    def _arranged(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden[:, self.ahead :].unflatten(1, (*self.grid, -1)).movedim(3, 1)

    def _forward(self, frames: torch.Tensor) -> None:
        self.network(pixel_values=frames)
