"""Pool: hidden states of every layer in one forward pass, averaged over space where they arise."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn


@contextmanager
def hooked(
    modules: Mapping[str, "nn.Module"],
    arrange: "Callable[[Tensor], Tensor]",
    *,
    tokens: Collection[str] = (),
    last: bool = False,
) -> Iterator[tuple[dict[str, "Tensor"], dict[str, "Tensor"]]]:
    """Collect hidden states from the forward pass that is made inside the ``with``.

    Nothing but means (and the tokens asked for) outlives the layer that made it.

    Parameters
    ----------
    modules : mapping of str to Module
        Layer and the module that gives it, as a tensor, alone or first of a tuple.
    arrange : callable
        From what a module gives to (clip, time, y, x, feature).
    tokens : collection of str
        Layers whose spatial tokens are kept too.
    last : bool
        Keep the last time only.

    Yields
    ------
    pooled : dict of str to Tensor
        (clip, time, feature) float32, on the device.
    spatial : dict of str to Tensor
        (clip, time, y, x, feature), on the device.
    """
    pooled, spatial = {}, {}

    def keep(layer: str, output: Any) -> None:
        hidden = arrange(first(output))
        hidden = hidden[:, -1:] if last else hidden
        pooled[layer] = hidden.float().mean((2, 3))
        if layer in tokens:
            spatial[layer] = hidden

    handles = [
        module.register_forward_hook(lambda _, __, output, layer=layer: keep(layer, output))
        for layer, module in modules.items()
    ]
    try:
        yield pooled, spatial
    finally:
        for handle in handles:
            handle.remove()


def first(output: Any) -> Any:
    """What a module gives: alone, or first of a tuple or list."""
    return output[0] if isinstance(output, tuple | list) and output else output
