"""A training job that gets its secret. To run it in a local Azure, as the compute or as its author:

vaultlet dev --vault my-key-vault --seed db-password=hunter2 -- python job.py
vaultlet dev --vault my-key-vault --seed db-password=hunter2 --as user -- python job.py
"""

import vaultlet

password = vaultlet.get("akv://my-key-vault/db-password")
print(f"{password!r} of {len(password.reveal())} characters, by {vaultlet.whoami().source}")
