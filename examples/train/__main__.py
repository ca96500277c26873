"""`python -m examples.train PAIRS OUTPUT`."""

from examples.train.train import main

main()
