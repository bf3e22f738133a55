"""Recognizes references among the settings of other programs."""

import re

# How a reference begins. Whether it is one is decided by `vaultlet run` and `resolve_environment`.
_BEGINNING = re.compile(r"\s*(akv:|@Microsoft\.KeyVault\(|https?://[^/]+/secrets/)", re.IGNORECASE)


def may_be_one(value: object) -> bool:
    """Whether a value begins as a reference does."""
    return isinstance(value, str) and _BEGINNING.match(value) is not None
