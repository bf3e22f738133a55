"""A plugin in Python, which reads a secret by its reference and never sees a credential."""

from componentize_py_types import Err
from wit_world import WitWorld as World
from wit_world.imports import secrets


class WitWorld(World):
    def describe(self, reference: str) -> str:
        try:
            with secrets.get(reference, None) as secret:
                properties = secret.properties()
                length = len(secret.reveal().encode())
        except Err as error:
            # The value that is raised is the error of the WIT result.
            why = error.value
            raise Err(f"{why.message}; {why.help} ({why.id})") from None
        return f"{properties.name} of {properties.vault} has {length} bytes"
