"""Texts that tend to break encoders."""

from __future__ import annotations

from random import Random

ODD_TEXTS = (
    "",
    " ",
    "\n\t \u3000\n",
    "x",
    ".",
    "Currently New York is rainy.",
    "null\x00byte and \x07 bell",
    "soft\u00adhyphen and zero\u200bwidth",
    "東京は今日も雨です。",
    "今天纽约下雨吗?",
    "भारत की राजधानी दिल्ली है",
    "القاهرة عاصمة مصر",
    "ภาษาไทยไม่มีช่องว่าง",
    "Семь раз отмерь, один раз отрежь",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 family \U0001f3f3\ufe0f\u200d\U0001f308 and \U0001f1e9\U0001f1ea flags",
    "\ufb01ne ligatures, \uff26\uff35\uff2c\uff2c \uff57\uff49\uff44\uff54\uff48",
    "café cafe\u0301 naïve",
    "[CLS] literal [SEP] special [MASK] tokens [PAD] [UNK]",
    "##ing ##s ## #",
    "\U0001f9ff\U000e0041",
    "https://example.org/a_b?c=d&e=%20f#g",
    "def f(x): return {k: v for k, v in x.items()}",
    "a" * 300,
    "x" * 5000,
    "long " * 2000,
    "The quick brown fox jumps over the lazy dog. " * 60,
    "1234567890 " * 20,
    "\u2028line\u2029separators\x85",
    "\ufeffbyte order mark",
    "mixed English と日本語 und Deutsch",
)


def passages(count: int, *, seed: int = 0) -> list[str]:
    """Return texts of 1 to 30 words of several scripts, the same ones every time."""
    random = Random(seed)
    words = " ".join(ODD_TEXTS).split()
    words = [word for word in words if len(word) < 30]
    return [" ".join(random.choices(words, k=random.randint(1, 30))) for _ in range(count)]
