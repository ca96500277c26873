"""Dates and times in metadata, compared as instants whatever their spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

AS_DATE = "as_date"
"""Name of the subfield that holds the instant of a text."""
FORMAT = (
    "strict_date||strict_date_time||strict_date_time_no_millis||strict_date_hour_minute_second_fraction"
    "||strict_date_hour_minute_second||strict_date_hour_minute||uuuu-MM-dd'T'HH:mm[XXX][XX]"
    "||uuuu-MM-dd HH:mm[:ss][.SSSSSSSSS][.SSSSSS][.SSS][.SS][.S][XXX][XX]"
)
"""Spellings that the server reads as an instant, in UTC where there is no offset.

One format, not a list of several: of a list the server puts the one that matches a key's first value into the mapping,
and two shards that meet different ones refuse each other's.
"""
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?")


class FilterText(str):
    """A text of a filter that is compared as it stands; it was checked for an instant."""

    __slots__ = ()


def as_date_field() -> dict[str, Any]:
    """Return the subfield of a text that holds its instant; it stays empty for texts that are no date."""
    return {AS_DATE: {"type": "date", "format": FORMAT, "ignore_malformed": True}}


def instant_of(value: object) -> FilterText | None:
    """Return the instant of a filter's value as the server compares it; None for any other value.

    Missing parts are written out, since the server would round them up in some comparisons and down in others.

    Args:
        value: A value; a date is midnight in UTC, and a time without an offset is in UTC.
    """
    if isinstance(value, FilterText):
        return None
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:  # the thirtieth of February
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 (UTC is put in below)
    if not isinstance(value, datetime):
        return None
    try:
        instant = value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    except OverflowError:  # in UTC it is in the year 0 or 10,000
        instant = value
    return FilterText(instant.isoformat(timespec="microseconds"))


def is_instant(text: str) -> bool:
    """Return whether a text is a date, alone or with a time, as `as_date` reads it."""
    return text[4:5] == "-" and _ISO.fullmatch(text) is not None


def has_instants(field: Mapping[str, Any]) -> bool:
    """Return whether a field of a mapping is compared as instants, too."""
    return AS_DATE in field.get("fields", {})


def written_instant(milliseconds: float) -> str:
    """Return an instant of a response as ISO 8601.

    Args:
        milliseconds: Milliseconds since 1970, in UTC.
    """
    instant = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=int(milliseconds % 1000) * 1000)
    return instant.isoformat()
