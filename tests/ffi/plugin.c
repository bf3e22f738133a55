/* Opens an untrusted plugin from C and calls it. The argument is the path of the component. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define VAULTLET_PLUGINS
#include "vaultlet.h"

static void must(vaultlet_error *failed) {
    if (failed == NULL) return;
    fprintf(stderr, "%s\n", failed->line);
    exit(1);
}

static void failed(vaultlet_error *error) {
    if (error == NULL) exit(2);
    printf("%s %s\n", error->kind_name, error->id);
    fprintf(stderr, "%s\n", error->line);
    vaultlet_error_free(error);
}

static void *file(const char *name, size_t *len) {
    FILE *opened = fopen(name, "rb");
    if (opened == NULL || fseek(opened, 0, SEEK_END) != 0) exit(3);
    *len = (size_t)ftell(opened);
    rewind(opened);
    void *bytes = malloc(*len);
    if (bytes == NULL || fread(bytes, 1, *len, opened) != *len) exit(3);
    fclose(opened);
    return bytes;
}

static void call_and_print(const vaultlet_plugin *plugin, const char *call) {
    char *result = NULL;
    vaultlet_error *error = vaultlet_plugin_call(plugin, call, NULL, &result);
    if (error == NULL) printf("%s\n", result);
    else failed(error);
    vaultlet_text_free(result);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    size_t len = 0;
    void *wasm = file(argv[1], &len);
    vaultlet_handle *vault = NULL;
    vaultlet_plugin *plugin = NULL, *none = NULL;
    must(vaultlet_open(VAULTLET_ABI, NULL, &vault));

    vaultlet_plugin_options *options = vaultlet_plugin_options_new();
    must(vaultlet_plugin_options_grant(options, "akv://my-key-vault/db"));
    must(vaultlet_plugin_options_grant_list(options, "other-vault"));
    must(vaultlet_plugin_options_set(options, "name", "of-c"));
    must(vaultlet_plugin_options_set(options, "memory", "33554432"));
    must(vaultlet_plugin_options_set(options, "timeout", "60"));
    must(vaultlet_plugin_options_set(options, "concurrency", "2"));
    failed(vaultlet_plugin_options_set(options, "memory", "much"));
    failed(vaultlet_plugin_options_set(options, "timeout", "NaN"));
    failed(vaultlet_plugin_options_set(options, "no-such-option", "x"));
    failed(vaultlet_plugin_options_grant(options, NULL));
    failed(vaultlet_plugin_options_grant(NULL, "akv://my-key-vault/db"));
    must(vaultlet_plugin_open(vault, wasm, len, options, &plugin));
    vaultlet_plugin_options_free(options);
    failed(vaultlet_plugin_open(vault, wasm, 100, NULL, &none));
    failed(vaultlet_plugin_open(vault, NULL, 0, NULL, &none));
    failed(vaultlet_plugin_open(NULL, wasm, len, NULL, &none));
    if (none != NULL) return 4;
    free(wasm);
    /* The plugin keeps what it needs of the handle. */
    vaultlet_close(vault);

    char *quoted = vaultlet_wave_text("akv://my-key-vault/db"), call[256];
    snprintf(call, sizeof call, "describe(%s)", quoted);
    vaultlet_text_free(quoted);
    call_and_print(plugin, call);
    call_and_print(plugin, "describe(\"akv://my-key-vault/other\")");
    call_and_print(plugin, "no-such-function()");
    call_and_print(plugin, "describe(7)");
    call_and_print(plugin, NULL);
    call_and_print(NULL, call);

    /* A child of fork can use the plugin, too. */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        /* A child that hangs is killed, and counts as a failure. */
        alarm(60);
        call_and_print(plugin, call);
        fflush(stdout);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return 6;

    vaultlet_call with = {.size = sizeof with, .client_id = "11111111-1111-4111-8111-111111111111"};
    char *result = NULL;
    failed(vaultlet_plugin_call(plugin, call, &with, &result));
    with.client_id = NULL;
    vaultlet_cancel *cancel = vaultlet_cancel_new();
    with.cancel = cancel;
    with.timeout_ms = 60000;
    must(vaultlet_plugin_call(plugin, call, &with, &result));
    vaultlet_text_free(result);
    vaultlet_cancel_now(cancel);
    failed(vaultlet_plugin_call(plugin, call, &with, &result));
    vaultlet_cancel_free(cancel);
    if (result != NULL || vaultlet_wave_text(NULL) != NULL) return 5;
    vaultlet_plugin_close(plugin);
    vaultlet_plugin_close(NULL);
    vaultlet_plugin_options_free(NULL);
    return 0;
}
