/* Many threads call one handle; some of the calls are cancelled and some have a very short time limit. Then
 * handles are opened and closed, one after the other. Prints the memory in use before and after, in KiB. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vaultlet.h"

static vaultlet_handle *vault;
static int calls;
static atomic_int got, cancelled, late, others;

/* The number of callbacks that have not come yet. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int pending;

static void add_pending(int more) {
    pthread_mutex_lock(&lock);
    pending += more;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static long resident(void) {
    long pages = 0, total = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &pages) != 2) exit(2);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void count(vaultlet_error *error, vaultlet_secret *secret) {
    if (error == NULL) {
        got++;
    } else if (strcmp(error->id, "cancelled") == 0) {
        cancelled++;
    } else if (strcmp(error->id, "timeout") == 0) {
        late++;
    } else {
        others++;
        fprintf(stderr, "%s\n", error->line);
    }
    vaultlet_error_free(error);
    vaultlet_secret_free(secret);
}

static void on_secret(void *context, vaultlet_error *error, vaultlet_secret *secret) {
    (void)context;
    count(error, secret);
    add_pending(-1);
}

static void *work(void *number) {
    unsigned seed = (unsigned)(size_t)number;
    for (int at = 0; at < calls; at++) {
        vaultlet_call call = {.size = sizeof call};
        vaultlet_secret *secret = NULL;
        vaultlet_error *error = NULL;
        switch (rand_r(&seed) % 4) {
            case 0:
                call.timeout_ms = 1;
                error = vaultlet_get(vault, "akv://my-key-vault/db", &call, &secret);
                count(error, secret);
                break;
            case 1: {
                vaultlet_cancel *cancel = vaultlet_cancel_new();
                call.cancel = cancel;
                add_pending(1);
                vaultlet_get_then(vault, "akv://my-key-vault/db", &call, on_secret, NULL);
                vaultlet_cancel_now(cancel);
                vaultlet_cancel_free(cancel);
                break;
            }
            case 2:
                add_pending(1);
                vaultlet_get_then(vault, "akv://my-key-vault/db", &call, on_secret, NULL);
                break;
            default:
                error = vaultlet_get(vault, "akv://my-key-vault/db", &call, &secret);
                count(error, secret);
        }
    }
    return NULL;
}

static void must(vaultlet_error *error) {
    if (error == NULL) return;
    fprintf(stderr, "%s\n", error->line);
    exit(1);
}

static void crowd(int threads) {
    pthread_t all[64];
    for (int at = 0; at < threads; at++) pthread_create(&all[at], NULL, work, (void *)(size_t)(at + 1));
    for (int at = 0; at < threads; at++) pthread_join(all[at], NULL);
    pthread_mutex_lock(&lock);
    while (pending > 0) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int threads = atoi(argv[1]), cycles = atoi(argv[3]);
    calls = atoi(argv[2]);
    must(vaultlet_open(VAULTLET_ABI, NULL, &vault));
    crowd(threads);
    long before = resident();
    got = cancelled = late = others = 0;
    crowd(threads);
    printf("%d %d\n", got + cancelled + late, others);
    fprintf(stderr, "got %d, cancelled %d, late %d; %ld KiB, then %ld\n", got, cancelled, late, before, resident());
    printf("%ld %ld\n", before, resident());
    vaultlet_close(vault);

    before = 0;
    for (int at = 0; at < cycles; at++) {
        vaultlet_handle *one = NULL;
        must(vaultlet_open(VAULTLET_ABI, NULL, &one));
        if (at % 10 == 0) {
            vaultlet_secret *secret = NULL;
            must(vaultlet_get(one, "akv://my-key-vault/db", NULL, &secret));
            vaultlet_secret_free(secret);
        }
        vaultlet_close(one);
        if (at == cycles / 4) before = resident();
    }
    fprintf(stderr, "%d cycles: %ld KiB after a quarter, %ld at the end\n", cycles, before, resident());
    printf("%ld %ld\n", before, resident());
    return 0;
}
