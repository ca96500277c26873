"""Take the pictures of the page that the documentation shows: `python -m examples.web.screenshot http://127.0.0.1:8765`."""

import argparse
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from scripts import chromium

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
QUESTION = "?q=how+do+I+handle+an+error"
MODELS = "&compare=sparse+network"
PICTURES = {
    "web_page": (1280, 860, "", "hybrid"),
    "web_page_narrow": (360, 780, "", "hybrid"),
    "web_page_models": (1280, 860, MODELS, "network"),
}
"""Name -> width, height, what the address has beside the question, and a column that is waited for."""
COLOURS = 128


def main() -> None:
    """Ask the page a question and write a picture of each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="where the page is served")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for name, (width, height, choices, way) in PICTURES.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=options.scheme, reduced_motion="reduce"
            )
            page.goto(options.address + QUESTION + choices)
            page.locator(f".{way} .hit").first.wait_for()
            _write(page, options.folder / f"{name}.png")


def _write(page: Page, path: Path) -> None:
    """Write what is to be seen, its colours reduced, which halves the file."""
    picture = Image.open(BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
