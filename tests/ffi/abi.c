/* Calls each function of the ABI as a careful program does, and as a careless one does. The test that runs
 * this program compares what it prints, which is never a secret. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vaultlet.h"

#define OK(call) ok(call, #call)

static void ok(vaultlet_error *failed, const char *what) {
    if (failed == NULL) return;
    fprintf(stderr, "%s: %s\n", what, failed->line);
    exit(1);
}

/* Prints the members of an error that a program can act on, and frees it. */
static void failed(const char *what, vaultlet_error *error) {
    if (error == NULL) {
        fprintf(stderr, "%s: no error\n", what);
        exit(1);
    }
    printf("%s: %d %s %s status=%d code=%s attempts=%zu\n", what, error->kind, error->kind_name,
           error->id, error->status, error->code ? error->code : "-", error->attempts_len);
    fprintf(stderr, "%s\n", error->line);
    vaultlet_error_free(error);
}

static void value_is(const vaultlet_secret *secret, const char *value) {
    size_t length = 0;
    const char *text = vaultlet_secret_reveal(secret, &length);
    if (length != strlen(value) || strcmp(text, value) != 0) {
        fprintf(stderr, "another value\n");
        exit(1);
    }
}

/* The result of one callback, which the main thread waits for. */
struct result {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int times;
    vaultlet_error *error;
    vaultlet_secret *secret;
    vaultlet_secrets *secrets;
    vaultlet_listing *listing;
    vaultlet_token *token;
    const vaultlet_handle *ask_in_callback;
    vaultlet_error *in_callback;
};

static void begin(struct result *result) {
    memset(result, 0, sizeof *result);
    pthread_mutex_init(&result->lock, NULL);
    pthread_cond_init(&result->changed, NULL);
}

static void wait_for(struct result *result) {
    pthread_mutex_lock(&result->lock);
    while (result->times == 0) pthread_cond_wait(&result->changed, &result->lock);
    assert(result->times == 1);
    pthread_mutex_unlock(&result->lock);
}

static void signal_result(struct result *result) {
    pthread_mutex_lock(&result->lock);
    result->times++;
    pthread_cond_signal(&result->changed);
    pthread_mutex_unlock(&result->lock);
}

static void on_secret(void *context, vaultlet_error *error, vaultlet_secret *secret) {
    struct result *result = context;
    result->error = error;
    result->secret = secret;
    if (result->ask_in_callback != NULL) {
        vaultlet_secret *none = NULL;
        result->in_callback = vaultlet_get(result->ask_in_callback, "akv://my-key-vault/db", NULL, &none);
    }
    signal_result(result);
}

static void on_secrets(void *context, vaultlet_error *error, vaultlet_secrets *secrets) {
    struct result *result = context;
    result->error = error;
    result->secrets = secrets;
    signal_result(result);
}

static void on_listing(void *context, vaultlet_error *error, vaultlet_listing *listing) {
    struct result *result = context;
    result->error = error;
    result->listing = listing;
    signal_result(result);
}

static void on_token(void *context, vaultlet_error *error, vaultlet_token *token) {
    struct result *result = context;
    result->error = error;
    result->token = token;
    signal_result(result);
}

static void waiting(const vaultlet_handle *vault, const char *value) {
    vaultlet_secret *secret = NULL;
    OK(vaultlet_get(vault, "akv://my-key-vault/db", NULL, &secret));
    value_is(secret, value);
    const vaultlet_properties *of = vaultlet_secret_properties(secret);
    printf("get: %s %s version=%zu enabled=%lld expires=%d tags=%zu\n", of->vault, of->name,
           strlen(of->version), (long long)of->enabled, of->expires == VAULTLET_UNKNOWN, of->tags_len);
    vaultlet_secret_free(secret);

    const char *both[] = {"akv://my-key-vault/other", "akv://my-key-vault/db"};
    vaultlet_secrets *secrets = NULL;
    OK(vaultlet_get_many(vault, both, 2, NULL, &secrets));
    value_is(secrets->items[1], value);
    printf("get_many: %zu, first %s\n", secrets->len, vaultlet_secret_properties(secrets->items[0])->name);
    vaultlet_secrets_free(secrets);
    OK(vaultlet_get_many(vault, NULL, 0, NULL, &secrets));
    printf("get_many of none: %zu\n", secrets->len);
    vaultlet_secrets_free(secrets);

    vaultlet_listing *listing = NULL;
    OK(vaultlet_list(vault, "my-key-vault", NULL, &listing));
    printf("list: %zu, first %s\n", listing->len, listing->items[0].name);
    vaultlet_listing_free(listing);
    OK(vaultlet_versions(vault, "akv://my-key-vault/db", NULL, &listing));
    printf("versions: %zu of %s\n", listing->len, listing->items[0].name);
    vaultlet_listing_free(listing);

    vaultlet_token *token = NULL;
    OK(vaultlet_get_token(vault, NULL, NULL, &token));
    size_t length = 0;
    const char *text = vaultlet_token_reveal(token, &length);
    const vaultlet_identity *whose = vaultlet_token_identity(token);
    printf("token: %d %s by %s (%s)\n", length > 100 && strlen(text) == length, whose->resource,
           whose->source, whose->endpoint);
    vaultlet_token_free(token);
    vaultlet_identity *identity = NULL;
    vaultlet_token_request request = {.size = sizeof request, .resource = "https://storage.azure.com"};
    OK(vaultlet_whoami(vault, &request, NULL, &identity));
    printf("whoami: %s tenant=%zu object=%zu\n", identity->audience, strlen(identity->tenant),
           strlen(identity->object_id));
    vaultlet_identity_free(identity);

    char *plan = NULL;
    OK(vaultlet_plan(vault, "akv://my-key-vault/db", NULL, &plan));
    printf("plan: %d %d\n", strstr(plan, "{\"vault\":{\"host\":\"my-key-vault.vault.azure.net\"") == plan,
           strstr(plan, "\"MSI_SECRET\"") != NULL);
    vaultlet_text_free(plan);
}

static void called_back(const vaultlet_handle *vault, const char *value) {
    struct result result;
    begin(&result);
    result.ask_in_callback = vault;
    vaultlet_get_then(vault, "akv://my-key-vault/db", NULL, on_secret, &result);
    wait_for(&result);
    ok(result.error, "get_then");
    value_is(result.secret, value);
    vaultlet_secret_free(result.secret);
    failed("waiting in a callback", result.in_callback);

    begin(&result);
    const char *one[] = {"akv://my-key-vault/db"};
    vaultlet_get_many_then(vault, one, 1, NULL, on_secrets, &result);
    wait_for(&result);
    value_is(result.secrets->items[0], value);
    vaultlet_secrets_free(result.secrets);

    begin(&result);
    vaultlet_list_then(vault, "akv://my-key-vault", NULL, on_listing, &result);
    wait_for(&result);
    printf("list_then: %zu\n", result.listing->len);
    vaultlet_listing_free(result.listing);

    begin(&result);
    vaultlet_versions_then(vault, "akv://my-key-vault/missing", NULL, on_listing, &result);
    wait_for(&result);
    failed("versions_then of a missing one", result.error);

    begin(&result);
    vaultlet_get_token_then(vault, NULL, NULL, on_token, &result);
    wait_for(&result);
    printf("token_then: %d\n", vaultlet_token_reveal(result.token, NULL)[0] == 'e');
    vaultlet_token_free(result.token);

    begin(&result);
    vaultlet_get_then(vault, "nonsense", NULL, on_secret, &result);
    wait_for(&result);
    failed("get_then of nonsense", result.error);

    begin(&result);
    vaultlet_cancel *cancel = vaultlet_cancel_new();
    vaultlet_cancel_now(cancel);
    vaultlet_call call = {.size = sizeof call, .cancel = cancel};
    vaultlet_get_then(vault, "akv://my-key-vault/db", &call, on_secret, &result);
    vaultlet_cancel_free(cancel);
    wait_for(&result);
    failed("get_then, cancelled", result.error);

    begin(&result);
    vaultlet_get_then(NULL, "akv://my-key-vault/db", NULL, on_secret, &result);
    wait_for(&result);
    failed("get_then without a handle", result.error);
    /* Without a callback the result is dropped, and must not leak. */
    vaultlet_get_then(vault, "akv://my-key-vault/db", NULL, NULL, NULL);
}

static void refused(const vaultlet_handle *vault) {
    vaultlet_secret *secret = (vaultlet_secret *)-1;
    failed("missing", vaultlet_get(vault, "akv://my-key-vault/missing", NULL, &secret));
    assert(secret == NULL);
    failed("denied", vaultlet_get(vault, "akv://my-key-vault/denied", NULL, &secret));
    failed("malformed", vaultlet_get(vault, "akv://my-key-vault/no_such_name", NULL, &secret));
    failed("no reference", vaultlet_get(vault, NULL, NULL, &secret));
    failed("not UTF-8", vaultlet_get(vault, "akv://\xff", NULL, &secret));
    failed("no handle", vaultlet_get(NULL, "akv://my-key-vault/db", NULL, &secret));
    failed("no place", vaultlet_get(vault, "akv://my-key-vault/db", NULL, NULL));
    const char *holes[] = {"akv://my-key-vault/db", NULL};
    vaultlet_secrets *secrets = NULL;
    failed("a hole", vaultlet_get_many(vault, holes, 2, NULL, &secrets));
    failed("no array", vaultlet_get_many(vault, NULL, 2, NULL, &secrets));

    vaultlet_call call = {0};
    failed("no size", vaultlet_get(vault, "akv://my-key-vault/db", &call, &secret));
    call.size = sizeof call;
    call.timeout_ms = -1;
    failed("no time", vaultlet_get(vault, "akv://my-key-vault/db", &call, &secret));
    call.timeout_ms = 0;
    call.client_id = "11111111-1111-1111-1111-111111111111";
    call.object_id = call.client_id;
    failed("two identities", vaultlet_get(vault, "akv://my-key-vault/db", &call, &secret));

    vaultlet_handle *none = NULL;
    failed("another ABI", vaultlet_open(VAULTLET_ABI + 1, NULL, &none));
    vaultlet_options *options = vaultlet_options_new();
    failed("an option", vaultlet_options_set(options, "no-such-option", "x"));
    failed("its value", vaultlet_options_set(options, "concurrency", "0"));
    OK(vaultlet_options_set(options, "timeout", "soon"));
    failed("at open", vaultlet_open(VAULTLET_ABI, options, &none));
    OK(vaultlet_options_set(options, "timeout", "5"));
    OK(vaultlet_options_variable(options, "VAULTLET_IDENTITY", "environment"));
    OK(vaultlet_open(VAULTLET_ABI, options, &none));
    vaultlet_options_free(options);
    failed("no identity", vaultlet_get(none, "akv://my-key-vault/db", NULL, &secret));
    vaultlet_close(none);
}

int main(void) {
    const char *value = getenv("EXPECTED");
    if (value == NULL || vaultlet_abi() != VAULTLET_ABI) return 2;
    vaultlet_handle *vault = NULL;
    OK(vaultlet_open(VAULTLET_ABI, NULL, &vault));
    waiting(vault, value);
    called_back(vault, value);
    refused(vault);
    vaultlet_close(vault);
    vaultlet_close(NULL);
    vaultlet_error_free(NULL);
    vaultlet_secret_free(NULL);
    vaultlet_secrets_free(NULL);
    vaultlet_listing_free(NULL);
    vaultlet_token_free(NULL);
    vaultlet_identity_free(NULL);
    vaultlet_text_free(NULL);
    vaultlet_cancel_free(NULL);
    vaultlet_options_free(NULL);
    vaultlet_cancel_now(NULL);
    assert(vaultlet_secret_reveal(NULL, NULL) == NULL && vaultlet_secret_properties(NULL) == NULL);
    assert(vaultlet_token_reveal(NULL, NULL) == NULL && vaultlet_token_identity(NULL) == NULL);
    printf("done\n");
    return 0;
}
