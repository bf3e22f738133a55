/* Forks while other threads are calling, opening and closing, and uses the handle in the child. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vaultlet.h"

static vaultlet_handle *vault;
static atomic_int stop;

static int gets(vaultlet_handle *handle, const char *value) {
    vaultlet_secret *secret = NULL;
    vaultlet_error *error = vaultlet_get(handle, "akv://my-key-vault/db", NULL, &secret);
    if (error != NULL) {
        fprintf(stderr, "%s\n", error->line);
        return 1;
    }
    int same = strcmp(vaultlet_secret_reveal(secret, NULL), value) == 0;
    vaultlet_secret_free(secret);
    return !same;
}

static void *calls(void *value) {
    while (!stop) {
        if (gets(vault, value) != 0) exit(3);
    }
    return NULL;
}

static void *opens(void *value) {
    (void)value;
    while (!stop) {
        vaultlet_handle *one = NULL;
        vaultlet_error *error = vaultlet_open(VAULTLET_ABI, NULL, &one);
        if (error != NULL) exit(4);
        vaultlet_close(one);
    }
    return NULL;
}

int main(int argc, char **argv) {
    char *value = getenv("EXPECTED");
    if (argc != 2 || value == NULL) return 2;
    if (vaultlet_open(VAULTLET_ABI, NULL, &vault) != NULL) return 2;
    pthread_t threads[4];
    pthread_create(&threads[0], NULL, calls, value);
    pthread_create(&threads[1], NULL, calls, value);
    pthread_create(&threads[2], NULL, opens, NULL);
    pthread_create(&threads[3], NULL, opens, NULL);
    int failed = 0;
    for (int at = 0; at < atoi(argv[1]); at++) {
        pid_t child = fork();
        if (child == 0) {
            /* A child that hangs is killed, and counts as a failure. */
            alarm(60);
            int code = gets(vault, value);
            /* The child forks, too. */
            pid_t grandchild = fork();
            if (grandchild == 0) _exit(gets(vault, value));
            int status = 0;
            waitpid(grandchild, &status, 0);
            vaultlet_close(vault);
            _exit(code != 0 || status != 0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        failed += status != 0;
    }
    stop = 1;
    for (int at = 0; at < 4; at++) pthread_join(threads[at], NULL);
    vaultlet_close(vault);
    printf("%d\n", failed);
    return failed != 0;
}
