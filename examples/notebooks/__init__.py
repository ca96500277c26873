"""A notebook for each framework; `python -m examples.notebooks` runs them and stores what their cells show."""
