"""Haystack's options in the core's words."""

from __future__ import annotations

from haystack.utils import ComponentDevice, Secret


def device_name(device: ComponentDevice | str | None) -> str | None:
    """Return a device in torch's words, such as `cpu` or `cuda:0`."""
    return device.to_torch_str() if isinstance(device, ComponentDevice) else device


def token_value(token: Secret | None) -> str | None:
    """Return the value of a secret; None where there is none, or where its environment variable is not set."""
    return None if token is None else token.resolve_value()
