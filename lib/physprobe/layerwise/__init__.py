"""Layerwise: where in an encoder a label becomes readable, beside the controls."""
