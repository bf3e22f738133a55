"""A plugin in Python: it names a secret and uses it, and sees no credential."""

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
            # What is raised here is the error of the result.
            why = error.value
            raise Err(f"{why.message}; {why.help} ({why.id})") from None
        return f"{properties.name} of {properties.vault} has {length} bytes"
