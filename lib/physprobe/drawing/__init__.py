"""Drawing: colours, axes and sheets that all figures share."""
