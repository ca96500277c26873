"""Analyzers of the server, which cut texts into words for BM25, by the language of the texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

STANDARD = "standard"
ANALYZERS: Mapping[str, str] = MappingProxyType(
    {
        "ar": "arabic",
        "bg": "bulgarian",
        "bn": "bengali",
        "ca": "catalan",
        "cs": "czech",
        "da": "danish",
        "de": "german",
        "el": "greek",
        "en": "english",
        "es": "spanish",
        "et": "estonian",
        "eu": "basque",
        "fa": "persian",
        "fi": "finnish",
        "fr": "french",
        "ga": "irish",
        "gl": "galician",
        "hi": "hindi",
        "hu": "hungarian",
        "hy": "armenian",
        "id": "indonesian",
        "it": "italian",
        "ja": "cjk",
        "ko": "cjk",
        "lt": "lithuanian",
        "lv": "latvian",
        "nl": "dutch",
        "no": "norwegian",
        "pt": "portuguese",
        "ro": "romanian",
        "ru": "russian",
        "sv": "swedish",
        "tr": "turkish",
        "zh": "cjk",
    }
)
"""ISO 639-1 code of a language -> the analyzer that knows its word forms and stop words, on every server."""


def analyzer_for(languages: Collection[str]) -> str | None:
    """Return the analyzer for texts of one language; None, the server's default, for several or an unknown one.

    Args:
        languages: ISO 639-1 codes.
    """
    (language,) = languages if len(languages) == 1 else ("",)
    return ANALYZERS.get(language)
