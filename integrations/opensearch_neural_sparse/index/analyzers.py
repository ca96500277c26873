"""Text analyzers for BM25, by language."""

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
"""ISO 639-1 language code -> OpenSearch's built-in analyzer with its stemmer and stop words."""


def analyzer_for(languages: Collection[str]) -> str | None:
    """Return the analyzer of one language; None (the server's default) for several or an unknown one.

    Args:
        languages: ISO 639-1 codes.
    """
    (language,) = languages if len(languages) == 1 else ("",)
    return ANALYZERS.get(language)
