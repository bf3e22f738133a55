/* Each function of the ABI as a careful program uses it, and as a careless one does. What it prints
 * is compared by the test that runs it; a secret is never among it. */
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

/* Prints what a program could act on, and frees it. */
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

/* One answer, awaited. */
struct told {
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

static void begin(struct told *told) {
    memset(told, 0, sizeof *told);
    pthread_mutex_init(&told->lock, NULL);
    pthread_cond_init(&told->changed, NULL);
}

static void wait_for(struct told *told) {
    pthread_mutex_lock(&told->lock);
    while (told->times == 0) pthread_cond_wait(&told->changed, &told->lock);
    assert(told->times == 1);
    pthread_mutex_unlock(&told->lock);
}

static void tell(struct told *told) {
    pthread_mutex_lock(&told->lock);
    told->times++;
    pthread_cond_signal(&told->changed);
    pthread_mutex_unlock(&told->lock);
}

static void on_secret(void *context, vaultlet_error *error, vaultlet_secret *secret) {
    struct told *told = context;
    told->error = error;
    told->secret = secret;
    if (told->ask_in_callback != NULL) {
        vaultlet_secret *none = NULL;
        told->in_callback = vaultlet_get(told->ask_in_callback, "akv://my-key-vault/db", NULL, &none);
    }
    tell(told);
}

static void on_secrets(void *context, vaultlet_error *error, vaultlet_secrets *secrets) {
    struct told *told = context;
    told->error = error;
    told->secrets = secrets;
    tell(told);
}

static void on_listing(void *context, vaultlet_error *error, vaultlet_listing *listing) {
    struct told *told = context;
    told->error = error;
    told->listing = listing;
    tell(told);
}

static void on_token(void *context, vaultlet_error *error, vaultlet_token *token) {
    struct told *told = context;
    told->error = error;
    told->token = token;
    tell(told);
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
    struct told told;
    begin(&told);
    told.ask_in_callback = vault;
    vaultlet_get_then(vault, "akv://my-key-vault/db", NULL, on_secret, &told);
    wait_for(&told);
    ok(told.error, "get_then");
    value_is(told.secret, value);
    vaultlet_secret_free(told.secret);
    failed("waiting in a callback", told.in_callback);

    begin(&told);
    const char *one[] = {"akv://my-key-vault/db"};
    vaultlet_get_many_then(vault, one, 1, NULL, on_secrets, &told);
    wait_for(&told);
    value_is(told.secrets->items[0], value);
    vaultlet_secrets_free(told.secrets);

    begin(&told);
    vaultlet_list_then(vault, "akv://my-key-vault", NULL, on_listing, &told);
    wait_for(&told);
    printf("list_then: %zu\n", told.listing->len);
    vaultlet_listing_free(told.listing);

    begin(&told);
    vaultlet_versions_then(vault, "akv://my-key-vault/missing", NULL, on_listing, &told);
    wait_for(&told);
    failed("versions_then of a missing one", told.error);

    begin(&told);
    vaultlet_get_token_then(vault, NULL, NULL, on_token, &told);
    wait_for(&told);
    printf("token_then: %d\n", vaultlet_token_reveal(told.token, NULL)[0] == 'e');
    vaultlet_token_free(told.token);

    begin(&told);
    vaultlet_get_then(vault, "nonsense", NULL, on_secret, &told);
    wait_for(&told);
    failed("get_then of nonsense", told.error);

    begin(&told);
    vaultlet_cancel *cancel = vaultlet_cancel_new();
    vaultlet_cancel_now(cancel);
    vaultlet_call call = {.size = sizeof call, .cancel = cancel};
    vaultlet_get_then(vault, "akv://my-key-vault/db", &call, on_secret, &told);
    vaultlet_cancel_free(cancel);
    wait_for(&told);
    failed("get_then, cancelled", told.error);

    begin(&told);
    vaultlet_get_then(NULL, "akv://my-key-vault/db", NULL, on_secret, &told);
    wait_for(&told);
    failed("get_then without a handle", told.error);
    /* Nobody to tell; nothing to leak. */
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
