"""Report: verdicts and figures as one page."""
