"""Find the Chromium that the tests of the web page drive, or install it.

    python scripts/chromium.py

prints its path. Where there is none and this is a Debian or Ubuntu that lets us, it is installed first, by apt-get.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
"""What it is started with: its sandbox does not work for root."""


def find() -> str | None:
    """Return the path of a Chromium, or None."""
    return next((path for program in PROGRAMS if (path := shutil.which(program))), None)


def install() -> None:
    """Install Debian's, if we may; say why not otherwise."""
    if shutil.which("apt-get") is None:
        sys.exit("No Chromium is installed, and there is no apt-get to install one by.")
    sudo = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    for command in (
        ["update", "-q"],
        ["install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    ):
        subprocess.run(
            [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *command], check=True, stdout=sys.stderr
        )


if __name__ == "__main__":
    if find() is None:
        install()
    print(find())
