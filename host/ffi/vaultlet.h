// vaultlet: Azure Key Vault secrets for a training job.
//
// This file is made of the library's source; do not edit it. README.md beside it has a worked example.
//
// A function that can fail gives NULL and sets `*out`, or gives an error and sets `*out` to NULL; either
// is the caller's to free, by the `_free` of its type, which takes NULL. All functions may be called on
// any thread at any time, on the same handle, too. Texts are UTF-8 and end with NUL.
//
// Those that wait have a twin that ends with `_then` and calls back instead. A call may have a limit of
// its own and something to cancel it (`vaultlet_call`).
//
// After `fork` a handle opens itself anew in the child on first use. What is pending in the parent is
// never told in the child, and whoever holds an answer there frees it as usual.

#ifndef VAULTLET_H
#define VAULTLET_H

#include <stddef.h>
#include <stdint.h>
// The types that are only declared here are opaque.


// A number that is not known.
#define VAULTLET_UNKNOWN INT64_MIN

// The call's arguments contradict each other: correct the program.
#define VAULTLET_USAGE 1

// A reference, name or JSON pointer is malformed, or the secret is not what was expected of it.
#define VAULTLET_INVALID_ARGUMENT 2

// There is no such secret, or no such version of it.
#define VAULTLET_NOT_FOUND 3

// The secret exists and is disabled.
#define VAULTLET_DISABLED 4

// A server cannot be reached, or answers nonsense; it was retried already.
#define VAULTLET_UNAVAILABLE 5

// The time that was allowed has run out, or the caller has cancelled (id `cancelled`).
#define VAULTLET_TIMEOUT 6

// A defect of vaultlet's.
#define VAULTLET_INTERNAL 7

// The state of the secret forbids it now.
#define VAULTLET_CONFLICT 8

// The service asked for more patience than the caller has: wait `retry_after_ms`.
#define VAULTLET_THROTTLED 9

// The identity may not do this.
#define VAULTLET_DENIED 10

// Settings contradict each other, or a security check refused.
#define VAULTLET_CONFIGURATION 11

// No source of credentials is configured here; `attempts` lists what was looked for.
#define VAULTLET_NOT_CONFIGURED 12

// An identity was found and was refused; `attempts` says which.
#define VAULTLET_UNAUTHENTICATED 13

// The version of this ABI. What is compiled against another one is refused by `vaultlet_open`.
#define VAULTLET_ABI 1

// Ends the calls that were made with it. Every thread may use it at any time.
typedef struct vaultlet_cancel vaultlet_cancel;

// A handle: one set of settings, one cache of tokens, one pool of connections. Every thread may use
// it at any time. In a child of `fork` it opens itself anew on first use; calls that ran in the
// parent are the parent's alone.
typedef struct vaultlet_handle vaultlet_handle;

// How to open a handle. One thread at a time may use it.
typedef struct vaultlet_options vaultlet_options;

#if defined(VAULTLET_PLUGINS)
// A plugin that was opened. Every thread may call it at any time; each call runs in an instance of its
// own.
typedef struct vaultlet_plugin vaultlet_plugin;
#endif

#if defined(VAULTLET_PLUGINS)
// What a plugin may read and use. One thread at a time may use it.
typedef struct vaultlet_plugin_options vaultlet_plugin_options;
#endif

// One version of one secret, with its value.
typedef struct vaultlet_secret vaultlet_secret;

// An access token.
typedef struct vaultlet_token vaultlet_token;

// One source of credentials that was asked.
typedef struct vaultlet_attempt {
  // Its label: `managed-identity`.
  const char *source;
  // Which form of it: `azure-ml`; or NULL.
  const char *endpoint;
  // `not-configured`, `failed` or `skipped`.
  const char *outcome;
  // Why, in one line.
  const char *message;
} vaultlet_attempt;

// Why a call failed. Its texts are UTF-8, end with NUL and live as long as it does; none holds a
// token, a secret or a secret's value. This layout is the same in every version of the ABI.
typedef struct vaultlet_error {
  // What to do next, for programs: `VAULTLET_NOT_FOUND` and so on.
  int32_t kind;
  // The HTTP status; 0 when no server answered.
  int32_t status;
  // How long the service asked to be left alone, in milliseconds, or `VAULTLET_UNKNOWN`.
  int64_t retry_after_ms;
  // The name of the kind: `not-found`.
  const char *kind_name;
  // A stable name of this failure, an anchor in README's table of errors: `secret-not-found`.
  const char *id;
  // What was being done and what happened.
  const char *message;
  // What to do about it; may be empty.
  const char *help;
  // The service's own code (`ForbiddenByRbac`), or NULL.
  const char *code;
  // The service's id of the request, or NULL.
  const char *request_id;
  // All of that in one line, as the command line prints it.
  const char *line;
  // One for each source that was asked, whenever no token was had.
  const struct vaultlet_attempt *attempts;
  // How many.
  size_t attempts_len;
} vaultlet_error;

// What one call may say besides: set all of it to zero, then `size`, then what is needed.
typedef struct vaultlet_call {
  // `sizeof(vaultlet_call)`; it tells later versions which members there are.
  size_t size;
  // How long it may take, in milliseconds, at most a day; 0 is what the handle was opened with.
  int64_t timeout_ms;
  // What may end it; or NULL.
  const struct vaultlet_cancel *cancel;
  // The client id of a user-assigned managed identity; or NULL. At most one of the three.
  const char *client_id;
  // Its object id; or NULL.
  const char *object_id;
  // Its resource id; or NULL.
  const char *resource_id;
} vaultlet_call;

// Several secrets, in the order in which they were asked for.
typedef struct vaultlet_secrets {
  // Each belongs to this, and is freed with it.
  struct vaultlet_secret *const *items;
  // How many.
  size_t len;
} vaultlet_secrets;

// Told a secret or an error, either of which is the callee's to free.
typedef void (*vaultlet_on_secret)(void *context, struct vaultlet_error *error, struct vaultlet_secret *secret);

// Told secrets or an error, either of which is the callee's to free.
typedef void (*vaultlet_on_secrets)(void *context,
                                    struct vaultlet_error *error,
                                    struct vaultlet_secrets *secrets);

// A tag of a secret.
typedef struct vaultlet_tag {
  // Its name.
  const char *name;
  // Its value.
  const char *value;
} vaultlet_tag;

// All that is known of one version of a secret but for its value. A text that is not known is NULL,
// a number `VAULTLET_UNKNOWN`; texts are UTF-8, end with NUL and live as long as what this is part of.
typedef struct vaultlet_properties {
  // The vault's host, with its port if it is not 443.
  const char *vault;
  // The secret's name.
  const char *name;
  // The version, 32 hexadecimal digits.
  const char *version;
  // The content type that its author gave it.
  const char *content_type;
  // What deleting it would mean: `Recoverable+Purgeable`.
  const char *recovery_level;
  // The key of the certificate that it belongs to.
  const char *kid;
  // Whether it may be read: 0 or 1.
  int64_t enabled;
  // Whether it belongs to a certificate: 0 or 1.
  int64_t managed;
  // When this version was made, Unix seconds.
  int64_t created;
  // When it was last changed, Unix seconds.
  int64_t updated;
  // Not meant to be used before, Unix seconds. Nobody enforces it.
  int64_t not_before;
  // Not meant to be used after, Unix seconds. Nobody enforces it.
  int64_t expires;
  // Days for which a deleted one can be recovered.
  int64_t recoverable_days;
  // Its tags, sorted by name.
  const struct vaultlet_tag *tags;
  // How many.
  size_t tags_len;
} vaultlet_properties;

// What was listed, in order.
typedef struct vaultlet_listing {
  // Each lives as long as this.
  const struct vaultlet_properties *items;
  // How many.
  size_t len;
} vaultlet_listing;

// Told what was listed or an error, either of which is the callee's to free.
typedef void (*vaultlet_on_listing)(void *context,
                                    struct vaultlet_error *error,
                                    struct vaultlet_listing *listing);

// What a token is asked for: set all of it to zero, then `size`, then what is needed.
typedef struct vaultlet_token_request {
  // `sizeof(vaultlet_token_request)`.
  size_t size;
  // The resource (`https://storage.azure.com`) or scope (`…/.default`); NULL is Key Vault of the
  // configured cloud.
  const char *resource;
  // The tenant, where a source has a choice; or NULL.
  const char *tenant;
  // A claims challenge as JSON, which bypasses the cache; or NULL.
  const char *claims;
} vaultlet_token_request;

// What is known of a token and whose it is, by what it says of itself; nothing of that is verified.
// A text that is not known is NULL.
typedef struct vaultlet_identity {
  // The source that gave it: `managed-identity`.
  const char *source;
  // Which form of the source: `azure-ml`.
  const char *endpoint;
  // The resource that it is for.
  const char *resource;
  // The client id that was asked for, when one was.
  const char *client_id;
  // The directory: a GUID.
  const char *tenant;
  // The identity's object id in it: what a role is granted to.
  const char *object_id;
  // The application that asked.
  const char *app_id;
  // The user's name, masked.
  const char *upn;
  // Whom it is for.
  const char *audience;
  // Not accepted after, Unix seconds.
  int64_t expires_on;
  // A new one is fetched from then on, Unix seconds.
  int64_t refresh_on;
  // What is worth knowing besides, one line each.
  const char *const *notes;
  // How many.
  size_t notes_len;
} vaultlet_identity;

// Told a token or an error, either of which is the callee's to free.
typedef void (*vaultlet_on_token)(void *context, struct vaultlet_error *error, struct vaultlet_token *token);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// A new one.
struct vaultlet_cancel *vaultlet_cancel_new(void);

// Ends the calls that were made with it, now and later, with an error of the id `cancelled`.
//
// # Safety
// It is NULL or from vaultlet.
void vaultlet_cancel_now(const struct vaultlet_cancel *cancel);

// Frees it; NULL is nothing. Calls that were made with it go on.
//
// # Safety
// It is NULL or from vaultlet, and not freed yet.
void vaultlet_cancel_free(struct vaultlet_cancel *cancel);

// Frees an error; NULL is nothing.
//
// # Safety
// It is NULL or from vaultlet, and not freed yet.
void vaultlet_error_free(struct vaultlet_error *error);

// Gets a secret: two requests for the first of a vault, one for each further one. It waits.
//
// A reference is `akv://<vault>/<name>[/<version>][?json=<pointer>]`, the secret's own URL, or
// `@Microsoft.KeyVault(…)`. `call` may be NULL.
//
// # Safety
// The pointers are NULL or as they should be; `out` may be written.
struct vaultlet_error *vaultlet_get(const struct vaultlet_handle *handle,
                                    const char *reference,
                                    const struct vaultlet_call *call,
                                    struct vaultlet_secret **out);

// Gets several secrets at once, in their order: all, or the first error. It waits.
//
// # Safety
// `references` are `len` pointers; for the rest as for `vaultlet_get`.
struct vaultlet_error *vaultlet_get_many(const struct vaultlet_handle *handle,
                                         const char *const *references,
                                         size_t len,
                                         const struct vaultlet_call *call,
                                         struct vaultlet_secrets **out);

// As `vaultlet_get`, and calls back instead of waiting: exactly once, on a thread of the library; or,
// when the call cannot even be started, before this returns. A callback must not wait for anything.
//
// # Safety
// As for `vaultlet_get`; `told` may be called on another thread.
void vaultlet_get_then(const struct vaultlet_handle *handle,
                       const char *reference,
                       const struct vaultlet_call *call,
                       vaultlet_on_secret told,
                       void *context);

// As `vaultlet_get_many`, and calls back as `vaultlet_get_then` does.
//
// # Safety
// As for both.
void vaultlet_get_many_then(const struct vaultlet_handle *handle,
                            const char *const *references,
                            size_t len,
                            const struct vaultlet_call *call,
                            vaultlet_on_secrets told,
                            void *context);

// The version of the ABI of the library that was loaded.
uint32_t vaultlet_abi(void);

// The version of the library: `0.1.0`. It is never freed.
const char *vaultlet_version(void);

// Opens a handle: loads the component, reads settings, environment and certificates. No network.
//
// `abi` is `VAULTLET_ABI`; `options` may be NULL and stays the caller's.
//
// Like every function that can fail it gives NULL and sets `*out`, or gives an error and sets `*out`
// to NULL. Either is the caller's to free.
//
// # Safety
// `options` is NULL or from vaultlet; `out` may be written.
struct vaultlet_error *vaultlet_open(uint32_t abi,
                                     const struct vaultlet_options *options,
                                     struct vaultlet_handle **out);

// Closes a handle; NULL is nothing. No thread may use it any more; calls that were started with a
// callback go on and are told to it.
//
// # Safety
// It is NULL or from vaultlet, and not closed yet.
void vaultlet_close(struct vaultlet_handle *handle);

// Lists the secrets of a vault, without their values, by name; disabled ones, too. It waits.
//
// The vault is its name, its full host, or `akv://<vault>`.
//
// # Safety
// As for `vaultlet_get`.
struct vaultlet_error *vaultlet_list(const struct vaultlet_handle *handle,
                                     const char *vault,
                                     const struct vaultlet_call *call,
                                     struct vaultlet_listing **out);

// Lists the versions of a secret, without their values, newest first. It waits.
//
// # Safety
// As for `vaultlet_get`.
struct vaultlet_error *vaultlet_versions(const struct vaultlet_handle *handle,
                                         const char *reference,
                                         const struct vaultlet_call *call,
                                         struct vaultlet_listing **out);

// As `vaultlet_list`, and calls back as `vaultlet_get_then` does.
//
// # Safety
// As for both.
void vaultlet_list_then(const struct vaultlet_handle *handle,
                        const char *vault,
                        const struct vaultlet_call *call,
                        vaultlet_on_listing told,
                        void *context);

// As `vaultlet_versions`, and calls back as `vaultlet_get_then` does.
//
// # Safety
// As for both.
void vaultlet_versions_then(const struct vaultlet_handle *handle,
                            const char *reference,
                            const struct vaultlet_call *call,
                            vaultlet_on_listing told,
                            void *context);

// Frees what was listed; NULL is nothing.
//
// # Safety
// It is NULL or from vaultlet, and not freed yet.
void vaultlet_listing_free(struct vaultlet_listing *listing);

// Options that set nothing: all comes from the environment.
struct vaultlet_options *vaultlet_options_new(void);

// Sets an option. The names are those of the command line's flags: `identity`, `exclude`,
// `client-id`, `object-id`, `resource-id`, `additional-tenants`, `user-assertion-file`, `cloud`,
// `timeout` (seconds), `ca-file` and `resolve` (both may be set several times),
// `allow-http-loopback` (`true`, `false`); and `concurrency`: calls at once, 1 to 1024 (64).
// An option wins over the environment's variable. Some values are checked by `vaultlet_open` only.
//
// # Safety
// `options` is NULL or from vaultlet; the texts are NULL or end with NUL.
struct vaultlet_error *vaultlet_options_set(struct vaultlet_options *options,
                                            const char *name,
                                            const char *value);

// Adds a variable to an environment that is read instead of the process's; it is empty before the
// first.
//
// # Safety
// As for `vaultlet_options_set`.
struct vaultlet_error *vaultlet_options_variable(struct vaultlet_options *options,
                                                 const char *name,
                                                 const char *value);

// Frees options; NULL is nothing.
//
// # Safety
// They are NULL or from vaultlet, and not freed yet.
void vaultlet_options_free(struct vaultlet_options *options);

// Says what the credentials would read and whom they would talk to, and the vault of a reference
// unless that is NULL. No network. The answer is one JSON object:
// `{"vault"?,"variables","servers","files","keys","programs"}`, where a server (and the vault) is
// `{"host","port","tls","purpose"}`, and all else is texts.
//
// # Safety
// As for `vaultlet_get`.
struct vaultlet_error *vaultlet_plan(const struct vaultlet_handle *handle,
                                     const char *reference,
                                     const struct vaultlet_call *call,
                                     char **out);

// Frees a text of vaultlet's; NULL is nothing.
//
// # Safety
// It is NULL or from `vaultlet_plan`, and not freed yet.
void vaultlet_text_free(char *text);

#if defined(VAULTLET_PLUGINS)
// Options of a plugin that may read nothing yet.
struct vaultlet_plugin_options *vaultlet_plugin_options_new(void);
#endif

#if defined(VAULTLET_PLUGINS)
// Lets the plugin read a secret; may be repeated. Without a version it may read each version, without
// a JSON pointer the whole and each member.
//
// # Safety
// The pointers are NULL or as they should be.
struct vaultlet_error *vaultlet_plugin_options_grant(struct vaultlet_plugin_options *options,
                                                     const char *reference);
#endif

#if defined(VAULTLET_PLUGINS)
// Lets the plugin list the secrets of a vault and their versions, without values; may be repeated.
//
// # Safety
// The pointers are NULL or as they should be.
struct vaultlet_error *vaultlet_plugin_options_grant_list(struct vaultlet_plugin_options *options,
                                                          const char *vault);
#endif

#if defined(VAULTLET_PLUGINS)
// Sets an option: `name` (what it is called in the log), `memory` (bytes of one call, 64 MiB unless
// set), `timeout` (seconds of one call, 30 unless set), `concurrency` (calls at once, 4 unless set).
//
// # Safety
// The pointers are NULL or as they should be.
struct vaultlet_error *vaultlet_plugin_options_set(struct vaultlet_plugin_options *options,
                                                   const char *name,
                                                   const char *value);
#endif

#if defined(VAULTLET_PLUGINS)
// Frees options; NULL is nothing.
//
// # Safety
// It is NULL or from vaultlet, and not freed yet.
void vaultlet_plugin_options_free(struct vaultlet_plugin_options *options);
#endif

#if defined(VAULTLET_PLUGINS)
// Opens a plugin: compiles `len` bytes of WebAssembly, a component that imports
// `vaultlet:keyvault/secrets`, and looks at what it imports. It asks with the handle's settings and
// identity, also after the handle is closed. Milliseconds for a small one, seconds for one with an
// interpreter in it. No network. `options` may be NULL and stays the caller's.
//
// # Safety
// The pointers are NULL or as they should be; `out` may be written.
struct vaultlet_error *vaultlet_plugin_open(const struct vaultlet_handle *handle,
                                            const uint8_t *wasm,
                                            size_t len,
                                            const struct vaultlet_plugin_options *options,
                                            struct vaultlet_plugin **out);
#endif

#if defined(VAULTLET_PLUGINS)
// Calls a function that the plugin exports, `function(arguments)` in WAVE, the text form of component
// values: `describe("akv://job/db")`, or with its interface
// `example:plugin/api@0.1.0#describe("…")`. The result is in the same form, `ok("…")`, empty where the
// function has none; it is freed by `vaultlet_text_free`. It waits. Of `call`, which may be NULL, no
// identity may be set.
//
// # Safety
// The pointers are NULL or as they should be; `out` may be written.
struct vaultlet_error *vaultlet_plugin_call(const struct vaultlet_plugin *plugin,
                                            const char *function,
                                            const struct vaultlet_call *call,
                                            char **out);
#endif

#if defined(VAULTLET_PLUGINS)
// A text in quotes, as WAVE writes it, for the arguments of a call; it is freed by
// `vaultlet_text_free`. NULL for what is NULL or not UTF-8.
//
// # Safety
// It is NULL or ends with NUL.
char *vaultlet_wave_text(const char *value);
#endif

#if defined(VAULTLET_PLUGINS)
// Closes a plugin; NULL is nothing. No thread may use it any more.
//
// # Safety
// It is NULL or from vaultlet, and not closed yet.
void vaultlet_plugin_close(struct vaultlet_plugin *plugin);
#endif

// The plaintext: UTF-8 of `*len` bytes, with a NUL after them; it may be empty, and may hold a NUL.
// It lives until the secret is freed, which scrubs it. `len` may be NULL. NULL gives NULL.
//
// # Safety
// `secret` is NULL or from vaultlet; `len` is NULL or may be written.
const char *vaultlet_secret_reveal(const struct vaultlet_secret *secret, size_t *len);

// All but the value, for as long as the secret lives. NULL gives NULL.
//
// # Safety
// It is NULL or from vaultlet.
const struct vaultlet_properties *vaultlet_secret_properties(const struct vaultlet_secret *secret);

// Scrubs and frees a secret; NULL is nothing. Not for those of `vaultlet_secrets`.
//
// # Safety
// It is NULL or from vaultlet, and not freed yet.
void vaultlet_secret_free(struct vaultlet_secret *secret);

// Scrubs and frees several secrets; NULL is nothing.
//
// # Safety
// They are NULL or from vaultlet, and not freed yet.
void vaultlet_secrets_free(struct vaultlet_secrets *secrets);

// Gets a token, from the cache if it has one. It waits.
//
// # Safety
// `request` and `call` are NULL or as they should be; `out` may be written.
struct vaultlet_error *vaultlet_get_token(const struct vaultlet_handle *handle,
                                          const struct vaultlet_token_request *request,
                                          const struct vaultlet_call *call,
                                          struct vaultlet_token **out);

// Says whose token would be had, by getting one. It waits; a token of `vaultlet_get_token_then`
// says the same.
//
// # Safety
// As for `vaultlet_get_token`.
struct vaultlet_error *vaultlet_whoami(const struct vaultlet_handle *handle,
                                       const struct vaultlet_token_request *request,
                                       const struct vaultlet_call *call,
                                       struct vaultlet_identity **out);

// As `vaultlet_get_token`, and calls back instead of waiting, as `vaultlet_get_then` does.
//
// # Safety
// As for `vaultlet_get_then`.
void vaultlet_get_token_then(const struct vaultlet_handle *handle,
                             const struct vaultlet_token_request *request,
                             const struct vaultlet_call *call,
                             vaultlet_on_token told,
                             void *context);

// The token itself, what goes after `Bearer`: `*len` bytes and a NUL. It lives until the token is
// freed, which scrubs it. `len` may be NULL. NULL gives NULL.
//
// # Safety
// `token` is NULL or from vaultlet; `len` is NULL or may be written.
const char *vaultlet_token_reveal(const struct vaultlet_token *token, size_t *len);

// Whose it is and how long it serves, for as long as the token lives. NULL gives NULL.
//
// # Safety
// It is NULL or from vaultlet.
const struct vaultlet_identity *vaultlet_token_identity(const struct vaultlet_token *token);

// Scrubs and frees a token; NULL is nothing.
//
// # Safety
// It is NULL or from vaultlet, and not freed yet.
void vaultlet_token_free(struct vaultlet_token *token);

// Frees what `vaultlet_whoami` gave; NULL is nothing. Not for that of a token.
//
// # Safety
// It is NULL or from vaultlet, and not freed yet.
void vaultlet_identity_free(struct vaultlet_identity *identity);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VAULTLET_H */
