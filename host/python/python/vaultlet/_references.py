"""What is, and what may be, a reference in the settings of other programs."""

import re

# `vaultlet run` and `resolve_environment` decide.
_BEGINNING = re.compile(r"\s*(akv:|@Microsoft\.KeyVault\(|https?://[^/]+/secrets/)", re.IGNORECASE)


def may_be_one(value: object) -> bool:
    """Whether a value begins as a reference does."""
    return isinstance(value, str) and _BEGINNING.match(value) is not None
