"""Rivals: colours and words of models that forecast, alike in all figures."""

COLOURS = {
    "predictor": "#0072B2", "order_1": "#E69F00", "order_2": "#D55E00", "order_3": "#CC79A7",
    "persistence": "0.35", "copy_last": "0.35", "dmd": "#D55E00", "state_mlp": "#56B4E9",
    "equation": "#7B3294", "mean_image": "0.6", "encoded": "0.35", "reconstruction": "#009E73",
    "frames": "0.35",
}  # fmt: skip
WORDS = {
    "predictor": "own predictor", "order_1": "linear, 1 token", "order_2": "linear, 2 tokens",
    "order_3": "linear, 3 tokens", "persistence": "no change", "copy_last": "last frame seen",
    "dmd": "DMD of pixels", "state_mlp": "MLP of true states",
    "equation": "true equation, decoded state", "mean_image": "mean image",
    "encoded": "seen, not forecast", "reconstruction": "reconstruction",
    "frames": "frames as rendered",
}  # fmt: skip
