/* Reads the memory of a value after it was freed, through /proc because the address is not valid any more. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vaultlet.h"

static void must(vaultlet_error *failed) {
    if (failed == NULL) return;
    fprintf(stderr, "%s\n", failed->line);
    exit(1);
}

/* Returns how many bytes of the value are still there. */
static size_t left(const char *at, const char *value, size_t len) {
    char now[256];
    int memory = open("/proc/self/mem", O_RDONLY);
    ssize_t got = pread(memory, now, len, (off_t)at);
    close(memory);
    size_t same = 0;
    for (ssize_t i = 0; i < got; i++) same += now[i] == value[i];
    return same;
}

static void check(const char *what, const char *at, size_t len, void (*free_it)(void *), void *it) {
    char value[256];
    if (len > sizeof value) exit(2);
    memcpy(value, at, len);
    size_t before = left(at, value, len);
    free_it(it);
    size_t after = left(at, value, len);
    /* A few bytes can be equal by chance. */
    printf("%s: %s, then %s\n", what, before == len ? "all" : "some", after <= len / 8 ? "none" : "some");
}

static void free_secret(void *it) { vaultlet_secret_free(it); }
static void free_secrets(void *it) { vaultlet_secrets_free(it); }
static void free_token(void *it) { vaultlet_token_free(it); }

int main(void) {
    vaultlet_handle *vault = NULL;
    vaultlet_secret *secret = NULL;
    vaultlet_secrets *secrets = NULL;
    vaultlet_token *token = NULL;
    const char *const references[] = {"akv://my-key-vault/db", "akv://my-key-vault/other"};
    must(vaultlet_open(VAULTLET_ABI, NULL, &vault));
    must(vaultlet_get(vault, references[0], NULL, &secret));
    must(vaultlet_get_many(vault, references, 2, NULL, &secrets));
    must(vaultlet_get_token(vault, NULL, NULL, &token));
    size_t len = 0;
    const char *at = vaultlet_secret_reveal(secret, &len);
    check("secret", at, len, free_secret, secret);
    at = vaultlet_secret_reveal(secrets->items[1], &len);
    check("one of many", at, len, free_secrets, secrets);
    at = vaultlet_token_reveal(token, &len);
    check("token", at, len > 256 ? 256 : len, free_token, token);
    vaultlet_close(vault);
    return 0;
}
