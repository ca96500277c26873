"""Where test material lies."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SMALL_MODEL = ROOT / "examples" / "models" / "small-en"
SHARED = ROOT.parent / "shared"
"""Golden values, query sides of published models and judged collections; not part of this project."""
GOLDEN = SHARED / "golden"
DATA = SHARED / "data"
MODELS = SHARED / "models"
