"""Train an inference-free sparse encoder on pairs of one's own: `python -m examples.train --help`."""
