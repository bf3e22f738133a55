// Resolves its own environment in both forms of the call, and prints the secrets or what failed. The arguments
// after --only are the names of the variables to resolve. Ends with 1 if the environment has changed.
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "vaultlet.h"

extern char **environ;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int told;
static vaultlet_error *error;
static vaultlet_environment *environment;

static void on_environment(void *context, vaultlet_error *failed, vaultlet_environment *resolved) {
    (void)context;
    pthread_mutex_lock(&mutex);
    error = failed;
    environment = resolved;
    told = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static int print(void) {
    if ((error == NULL) == (environment == NULL)) return 1;
    if (error != NULL) {
        fprintf(stderr, "%s\n", error->line);
        size_t len = 0;
        const vaultlet_failed_variable *failed = vaultlet_error_variables(error, &len);
        if (len > 0 && (failed[0].kind != error->kind || strcmp(failed[0].id, error->id) != 0)) return 1;
        for (size_t at = 0; at < len; at++) {
            printf("%s: %s %s\n", failed[at].name, failed[at].id, failed[at].kind_name);
            if (strstr(error->line, failed[at].message) == NULL) return 1;
        }
    } else {
        for (size_t at = 0; at < environment->secrets.len; at++) {
            const char *name = environment->names[at];
            const vaultlet_secret *secret = vaultlet_environment_get(environment, name);
            if (secret != environment->secrets.items[at]) return 1;
            printf("%s=%s\n", name, vaultlet_secret_reveal(secret, NULL));
        }
        if (vaultlet_environment_get(environment, "PATH") != NULL) return 1;
    }
    vaultlet_error_free(error);
    vaultlet_environment_free(environment);
    error = NULL;
    environment = NULL;
    return 0;
}

int main(int argc, char **argv) {
    char before[1 << 16] = "", after[sizeof before] = "";
    for (char **entry = environ; *entry != NULL; entry++) strncat(before, *entry, sizeof before - strlen(before) - 1);

    vaultlet_handle *vault = NULL;
    error = vaultlet_open(VAULTLET_ABI, NULL, &vault);
    if (error != NULL) return 1;
    vaultlet_environment_request only = {.size = sizeof only, .only = (const char *const *)&argv[2]};
    only.only_len = argc > 2 ? (size_t)argc - 2 : 0;
    const vaultlet_environment_request *request = argc > 1 ? &only : NULL;

    error = vaultlet_resolve_environment(vault, request, NULL, &environment);
    if (print() != 0) return 1;
    vaultlet_resolve_environment_then(vault, request, NULL, on_environment, NULL);
    pthread_mutex_lock(&mutex);
    while (!told) pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    if (print() != 0) return 1;

    // What is refused.
    vaultlet_environment_request wrong = {.size = 1};
    error = vaultlet_resolve_environment(vault, &wrong, NULL, &environment);
    if (error == NULL || error->kind != VAULTLET_USAGE || vaultlet_error_variables(error, NULL) != NULL) return 1;
    vaultlet_error_free(error);
    wrong = (vaultlet_environment_request){.size = sizeof wrong, .variables_len = 1};
    error = vaultlet_resolve_environment(vault, &wrong, NULL, &environment);
    if (error == NULL || error->kind != VAULTLET_USAGE) return 1;
    vaultlet_error_free(error);
    if (vaultlet_error_variables(NULL, NULL) != NULL || vaultlet_environment_get(NULL, "A") != NULL) return 1;
    vaultlet_environment_free(NULL);

    vaultlet_close(vault);
    for (char **entry = environ; *entry != NULL; entry++) strncat(after, *entry, sizeof after - strlen(after) - 1);
    return strcmp(before, after) != 0;
}
