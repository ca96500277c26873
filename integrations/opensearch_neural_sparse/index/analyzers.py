"""Text analyzers for BM25, by language."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.errors import IndexSchemaError

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


LONGEST_LANGUAGE = 50
"""Characters of a language's name; the server takes no more in the metadata of a field."""
_LANGUAGE = "language"
"""Key in the metadata of a text's sub-field, which says that it is one of a language."""


def analyzer_for(languages: Collection[str]) -> str | None:
    """Return the analyzer of one language; None (the server's default) for several or an unknown one.

    Args:
        languages: ISO 639-1 codes.
    """
    (language,) = languages if len(languages) == 1 else ("",)
    return ANALYZERS.get(language)


def language_analyzers(languages: Collection[str]) -> dict[str, str]:
    """Return language -> analyzer.

    Args:
        languages: ISO 639-1 codes, which have the analyzers of `ANALYZERS`; or a mapping of language to analyzer.

    Raises:
        IndexSchemaError: One text in place of several, a language that cannot name a field, or one for which the server
            has no analyzer.
    """
    if isinstance(languages, str):
        raise IndexSchemaError(f"languages are several, got the one text {languages!r}; put it into a list.")
    if not isinstance(languages, Collection):
        raise IndexSchemaError(f"languages is a list of codes such as 'de', got {type(languages).__name__}.")
    for language in languages:
        _check_language(language)
    if isinstance(languages, Mapping):
        if unnamed := [language for language, name in languages.items() if not (name and isinstance(name, str))]:
            raise IndexSchemaError(
                f"The analyzer of language {unnamed[0]!r} has no name; give one, such as 'standard'."
            )
        return dict(languages)
    if lacking := [language for language in languages if language not in ANALYZERS]:
        example = {lacking[0]: STANDARD}
        raise IndexSchemaError(
            f"OpenSearch has no analyzer of its own for {', '.join(map(repr, lacking))}. Name one, such as "
            f"languages={example!r}, or leave the language out: the text is searched word by word, too."
        )
    return {language: ANALYZERS[language] for language in languages}


def language_fields(languages: Mapping[str, str]) -> dict[str, Any]:
    """Return the sub-fields of a text, one for each language, by which it is found again.

    Args:
        languages: Language -> analyzer.
    """
    return {
        language: {"type": "text", "analyzer": analyzer, "meta": {_LANGUAGE: language}}
        for language, analyzer in languages.items()
    }


def read_languages(text: Mapping[str, Any]) -> dict[str, str]:
    """Return language -> analyzer of the sub-fields that `language_fields` made.

    Args:
        text: The mapping of a text field.
    """
    fields = text.get("fields", {})
    return {
        name: str(own.get("analyzer")) for name, own in fields.items() if own.get("meta", {}).get(_LANGUAGE) == name
    }


def _check_language(language: object) -> None:
    if not isinstance(language, str) or not language.replace("-", "_").isidentifier():
        raise IndexSchemaError(f"A language is a code such as 'de' or 'pt-br', got {language!r}.")
    if len(language) > LONGEST_LANGUAGE:
        raise IndexSchemaError(f"A language has at most {LONGEST_LANGUAGE} characters, got {len(language)}.")
