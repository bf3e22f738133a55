#include <stdio.h>
#include "vaultlet.h"

int main(void) {
    vaultlet_handle *vault = NULL;
    vaultlet_secret *password = NULL;
    vaultlet_error *failed = vaultlet_open(VAULTLET_ABI, NULL, &vault);
    if (!failed) failed = vaultlet_get(vault, "akv://my-key-vault/db-password", NULL, &password);
    if (failed) fprintf(stderr, "%s\n", failed->line);
    else puts(vaultlet_secret_reveal(password, NULL)); /* a real job would connect with it */
    int code = failed != NULL;
    vaultlet_error_free(failed), vaultlet_secret_free(password), vaultlet_close(vault);
    return code;
}
