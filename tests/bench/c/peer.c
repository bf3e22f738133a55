/* Benchmark of vaultlet from C.  peer cold NAME | warm-same CALLS | warm-diff CALLS | conc CALLERS CALLS */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "vaultlet.h"

static vaultlet_handle *vault;
static double *durations;
static int calls;
static atomic_int next;

static double now_us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static long faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static double call(const char *name, int print) {
    char reference[80], value[120];
    snprintf(reference, sizeof reference, "akv://bench-kv/%s", name);
    snprintf(value, sizeof value, "value-of-%s-0123456789abcdef0123456789abcdef", name);
    vaultlet_secret *secret = NULL;
    double begun = now_us(CLOCK_MONOTONIC);
    vaultlet_error *error = vaultlet_get(vault, reference, NULL, &secret);
    if (error != NULL) fail(error->line);
    double duration = now_us(CLOCK_MONOTONIC) - begun;
    if (strcmp(vaultlet_secret_reveal(secret, NULL), value) != 0) fail("another value came back");
    if (print) puts(vaultlet_secret_reveal(secret, NULL));
    vaultlet_secret_free(secret);
    return duration;
}

static int ascending(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static void report(double first, double imported, double wall, double cpu, long faulted) {
    qsort(durations, calls, sizeof *durations, ascending);
    long total = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fscanf(statm, "%ld %ld", &total, &resident) != 2) fail("no statm");
    fclose(statm);
    printf("{\"calls\":%d,\"first_us\":%f,\"import_us\":%f,\"median_us\":%f,\"p99_us\":%f,\"wall_us\":%f,"
           "\"cpu_us\":%f,\"faults\":%ld,\"rss_kib\":%ld}\n",
           calls, first, imported, durations[calls / 2], durations[calls * 99 / 100], wall, cpu, faulted,
           resident * (sysconf(_SC_PAGESIZE) / 1024));
}

static void *caller(void *unused) {
    (void)unused;
    for (int i = next++; i < calls; i = next++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        durations[i] = call(name, 0);
    }
    return NULL;
}

static void all(int callers, int many) {
    pthread_t threads[256];
    calls = many;
    next = 0;
    durations = realloc(durations, (size_t)many * sizeof *durations);
    for (int i = 0; i < callers; i++) pthread_create(&threads[i], NULL, caller, NULL);
    for (int i = 0; i < callers; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
    double start = now_us(CLOCK_MONOTONIC);
    if (argc < 3) fail("no task");
    vaultlet_error *error = vaultlet_open(VAULTLET_ABI, NULL, &vault);
    if (error != NULL) fail(error->line);
    if (strcmp(argv[1], "cold") == 0) {
        call(argv[2], 1);
    } else if (strncmp(argv[1], "warm", 4) == 0) {
        int different = strcmp(argv[1], "warm-diff") == 0;
        double first = call("s0", 0), imported = now_us(CLOCK_MONOTONIC) - start;
        calls = atoi(argv[2]);
        durations = malloc((size_t)calls * sizeof *durations);
        long before = faults();
        double wall = now_us(CLOCK_MONOTONIC), cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < calls; i++) {
            char name[16];
            snprintf(name, sizeof name, "s%d", different ? i + 1 : 0);
            durations[i] = call(name, 0);
        }
        wall = now_us(CLOCK_MONOTONIC) - wall, cpu = now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        report(first, imported, wall, cpu, faults() - before);
    } else {
        int callers = atoi(argv[2]), many = atoi(argv[3]);
        all(callers, many / 5);
        long before = faults();
        double wall = now_us(CLOCK_MONOTONIC), cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
        all(callers, many);
        wall = now_us(CLOCK_MONOTONIC) - wall, cpu = now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        report(0, 0, wall, cpu, faults() - before);
    }
    vaultlet_close(vault);
    return 0;
}
