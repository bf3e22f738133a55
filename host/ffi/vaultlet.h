// vaultlet: Azure Key Vault secrets for a training job.
//
// This file is generated from the source of the library; do not edit it. The README.md beside it has an
// example.
//
// A function that can fail returns NULL and sets `*out`, or returns an error and sets `*out` to NULL. The
// caller frees both, by the `_free` function of the type, which ignores NULL. Every function may be called
// on any thread at any time, also for the same handle. Strings are UTF-8 and end with NUL.
//
// A function that waits has a twin whose name ends with `_then`, which calls back instead. A call can have
// a time limit of its own and can be cancelled (`vaultlet_call`).
//
// After `fork` a handle reopens itself in the child on first use. A call that is pending in the parent does
// not call back in the child. Results that the child has from before are freed as usual.

#ifndef VAULTLET_H
#define VAULTLET_H

#include <stddef.h>
#include <stdint.h>
// Types that are declared without members are opaque.


// The value of a number that is not known.
#define VAULTLET_UNKNOWN INT64_MIN

// The arguments contradict each other; correct the program.
#define VAULTLET_USAGE 1

// A reference, name or JSON pointer is malformed, or the secret is not of the expected form.
#define VAULTLET_INVALID_ARGUMENT 2

// The secret, or this version of it, does not exist.
#define VAULTLET_NOT_FOUND 3

// The secret exists and is disabled.
#define VAULTLET_DISABLED 4

// A server cannot be reached, or its response is not understood, also after retries.
#define VAULTLET_UNAVAILABLE 5

// The time limit has passed, or the caller has cancelled the call (id `cancelled`).
#define VAULTLET_TIMEOUT 6

// A bug in vaultlet.
#define VAULTLET_INTERNAL 7

// The state of the secret does not allow the operation now.
#define VAULTLET_CONFLICT 8

// The service is throttling requests, for longer than the time limit; wait `retry_after_ms`.
#define VAULTLET_THROTTLED 9

// The identity is not allowed to do this.
#define VAULTLET_DENIED 10

// Settings are malformed or contradict each other, or a security check failed.
#define VAULTLET_CONFIGURATION 11

// No source of credentials is configured on this machine; `attempts` lists the sources.
#define VAULTLET_NOT_CONFIGURED 12

// An identity was found, but it was refused; `attempts` says which.
#define VAULTLET_UNAUTHENTICATED 13

// The version of this ABI. `vaultlet_open` refuses a program that was compiled against another one.
#define VAULTLET_ABI 1

// A cancellation: cancels the calls that name it in their `vaultlet_call`. Any thread may use it at any
// time.
typedef struct vaultlet_cancel vaultlet_cancel;

// A handle: one set of settings, one token cache, one connection pool. Any thread may use it at any
// time. In a child of `fork` it reopens itself on first use; calls that run in the parent are completed
// in the parent only.
typedef struct vaultlet_handle vaultlet_handle;

// Options to open a handle with. Only one thread at a time may use them.
typedef struct vaultlet_options vaultlet_options;

#if defined(VAULTLET_PLUGINS)
// An open plugin. Any thread may call it at any time; each call runs in an instance of its own.
typedef struct vaultlet_plugin vaultlet_plugin;
#endif

#if defined(VAULTLET_PLUGINS)
// What a plugin may read and use. Only one thread at a time may use it.
typedef struct vaultlet_plugin_options vaultlet_plugin_options;
#endif

// One version of one secret, with its value.
typedef struct vaultlet_secret vaultlet_secret;

// An access token, with its value and its identity.
typedef struct vaultlet_token vaultlet_token;

// An attempt to get a token from one source of credentials.
typedef struct vaultlet_attempt {
  // The label of the source, such as `managed-identity`.
  const char *source;
  // The kind of endpoint, such as `azure-ml`; or NULL.
  const char *endpoint;
  // `not-configured`, `failed` or `skipped`.
  const char *outcome;
  // The reason, in one line.
  const char *message;
} vaultlet_attempt;

// An error. The strings are UTF-8, end with NUL and live as long as the error; none contains a token
// or the value of a secret. The layout is the same in every version of the ABI.
typedef struct vaultlet_error {
  // What a program can do about it: `VAULTLET_NOT_FOUND` and so on.
  int32_t kind;
  // The HTTP status of the response; 0 if there was none.
  int32_t status;
  // How long the service asks to wait, in milliseconds, or `VAULTLET_UNKNOWN`.
  int64_t retry_after_ms;
  // The name of the kind, such as `not-found`.
  const char *kind_name;
  // The stable id of this error, such as `secret-not-found`; `vaultlet explain` says more about it.
  const char *id;
  // What was being done, and what happened.
  const char *message;
  // What a person can do about it; may be empty.
  const char *help;
  // The error code of the service, such as `ForbiddenByRbac`; or NULL.
  const char *code;
  // The request id of the service; or NULL.
  const char *request_id;
  // The whole error in one line, as the command line prints it.
  const char *line;
  // One attempt for each source, if no token could be obtained.
  const struct vaultlet_attempt *attempts;
  // The number of `attempts`.
  size_t attempts_len;
} vaultlet_error;

// An environment variable.
typedef struct vaultlet_variable {
  // The name of the variable.
  const char *name;
  // The value of the variable.
  const char *value;
} vaultlet_variable;

// What is resolved by `vaultlet_resolve_environment`. Set the whole struct to zero, then `size`, then the
// members you need.
typedef struct vaultlet_environment_request {
  // `sizeof(vaultlet_environment_request)`, by which later versions know which members are there.
  size_t size;
  // The variables; NULL means those of the process, or those that the handle was opened with.
  const struct vaultlet_variable *variables;
  // The number of `variables`.
  size_t variables_len;
  // The names of the variables to resolve, each of which must be there; NULL means all.
  const char *const *only;
  // The number of `only`.
  size_t only_len;
} vaultlet_environment_request;

// Options of a single call. Set the whole struct to zero, then `size`, then the members you need.
typedef struct vaultlet_call {
  // `sizeof(vaultlet_call)`, by which later versions know which members are there.
  size_t size;
  // The time limit in milliseconds, at most one day; 0 means the limit of the handle.
  int64_t timeout_ms;
  // The cancellation that can cancel the call; or NULL.
  const struct vaultlet_cancel *cancel;
  // The client id of a user-assigned managed identity; or NULL. Set at most one of the three ids.
  const char *client_id;
  // The object id of a user-assigned managed identity; or NULL.
  const char *object_id;
  // The resource id of a user-assigned managed identity; or NULL.
  const char *resource_id;
} vaultlet_call;

// Several secrets, in the order of their references.
typedef struct vaultlet_secrets {
  // The secrets, which are freed together with this struct and not one by one.
  struct vaultlet_secret *const *items;
  // The number of `items`.
  size_t len;
} vaultlet_secrets;

// The secrets that variables refer to, with the names of the variables, in the order of the names.
typedef struct vaultlet_environment {
  // The secrets.
  struct vaultlet_secrets secrets;
  // The name of the variable of each secret.
  const char *const *names;
} vaultlet_environment;

// The callback of `vaultlet_resolve_environment_then`: receives secrets or an error (the other is NULL), and
// frees them.
typedef void (*vaultlet_on_environment)(void *context,
                                        struct vaultlet_error *error,
                                        struct vaultlet_environment *environment);

// The reason why the reference of an environment variable was not resolved.
typedef struct vaultlet_failed_variable {
  // The name of the variable.
  const char *name;
  // The stable id of the failure, such as `secret-not-found`.
  const char *id;
  // What a program can do about it: `VAULTLET_NOT_FOUND` and so on.
  int32_t kind;
  // The name of the kind, such as `not-found`.
  const char *kind_name;
  // What was being done, and what happened.
  const char *message;
} vaultlet_failed_variable;

// The callback of `vaultlet_get_then`: receives a secret or an error (the other is NULL), and frees it.
typedef void (*vaultlet_on_secret)(void *context, struct vaultlet_error *error, struct vaultlet_secret *secret);

// The callback of `vaultlet_get_many_then`: receives secrets or an error (the other is NULL), and frees
// them.
typedef void (*vaultlet_on_secrets)(void *context,
                                    struct vaultlet_error *error,
                                    struct vaultlet_secrets *secrets);

// A tag of a secret.
typedef struct vaultlet_tag {
  // The name of the tag.
  const char *name;
  // The value of the tag.
  const char *value;
} vaultlet_tag;

// The properties of one version of a secret: everything but the value. A string that is not known is
// NULL, a number that is not known is `VAULTLET_UNKNOWN`. Strings are UTF-8, end with NUL and live as
// long as the secret or listing that the properties belong to.
typedef struct vaultlet_properties {
  // The host name of the vault, with the port if that is not 443.
  const char *vault;
  // The name of the secret.
  const char *name;
  // The version, 32 hexadecimal digits.
  const char *version;
  // The content type, as the author of the secret set it.
  const char *content_type;
  // The recovery level, such as `Recoverable+Purgeable`: what happens to a deleted secret.
  const char *recovery_level;
  // The key id, if the secret belongs to a certificate.
  const char *kid;
  // Whether the value can be read: 0 or 1.
  int64_t enabled;
  // Whether the secret belongs to a certificate: 0 or 1.
  int64_t managed;
  // When this version was created, in Unix seconds.
  int64_t created;
  // When this version was last changed, in Unix seconds.
  int64_t updated;
  // When this version becomes valid, in Unix seconds. Key Vault does not enforce this.
  int64_t not_before;
  // When this version expires, in Unix seconds. Key Vault does not enforce this.
  int64_t expires;
  // The number of days for which a deleted secret can be recovered.
  int64_t recoverable_days;
  // The tags, sorted by name.
  const struct vaultlet_tag *tags;
  // The number of `tags`.
  size_t tags_len;
} vaultlet_properties;

// The properties of the secrets of a vault, or of the versions of a secret.
typedef struct vaultlet_listing {
  // The entries, which live as long as the listing.
  const struct vaultlet_properties *items;
  // The number of `items`.
  size_t len;
} vaultlet_listing;

// The callback of `vaultlet_list_then` and `vaultlet_versions_then`: receives a listing or an error (the
// other is NULL), and frees it.
typedef void (*vaultlet_on_listing)(void *context,
                                    struct vaultlet_error *error,
                                    struct vaultlet_listing *listing);

// A request for a token. Set the whole struct to zero, then `size`, then the members you need.
typedef struct vaultlet_token_request {
  // `sizeof(vaultlet_token_request)`, by which later versions know which members are there.
  size_t size;
  // The resource (`https://storage.azure.com`) or scope (`…/.default`); NULL means the Key Vault of
  // the configured cloud.
  const char *resource;
  // The tenant, for sources that can choose one; or NULL.
  const char *tenant;
  // The claims that a service asked for, as JSON, which bypass the token cache; or NULL.
  const char *claims;
} vaultlet_token_request;

// The identity that a token belongs to, as the token itself says; nothing of it is verified. A string
// that is not known is NULL.
typedef struct vaultlet_identity {
  // The source of the token, such as `managed-identity`.
  const char *source;
  // The kind of endpoint, such as `azure-ml`.
  const char *endpoint;
  // The resource that the token is for.
  const char *resource;
  // The client id of the user-assigned identity, if the request named one.
  const char *client_id;
  // The tenant, a GUID.
  const char *tenant;
  // The object id of the identity, to which roles are granted.
  const char *object_id;
  // The application that the token was issued to.
  const char *app_id;
  // The name of the user, masked.
  const char *upn;
  // The audience of the token.
  const char *audience;
  // When the token expires, in Unix seconds.
  int64_t expires_on;
  // When the token should be replaced by a new one, in Unix seconds.
  int64_t refresh_on;
  // Remarks for people, one line each.
  const char *const *notes;
  // The number of `notes`.
  size_t notes_len;
} vaultlet_identity;

// The callback of `vaultlet_get_token_then`: receives a token or an error (the other is NULL), and frees
// it.
typedef void (*vaultlet_on_token)(void *context, struct vaultlet_error *error, struct vaultlet_token *token);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Creates a cancellation.
struct vaultlet_cancel *vaultlet_cancel_new(void);

// Cancels all calls that name a cancellation, those that run and those made later: they fail with the
// id `cancelled`.
//
// # Safety
// `cancel` is NULL or from `vaultlet_cancel_new`.
void vaultlet_cancel_now(const struct vaultlet_cancel *cancel);

// Frees a cancellation; NULL is ignored. Calls that name it continue.
//
// # Safety
// `cancel` is NULL, or from `vaultlet_cancel_new` and not freed yet.
void vaultlet_cancel_free(struct vaultlet_cancel *cancel);

// Gets the secrets that environment variables refer to, and waits for them: all of them, or none. The
// environment is not changed.
//
// A variable is resolved when its whole value is a reference: `akv://…`, `@Microsoft.KeyVault(…)`, or the URL
// of a secret in a known cloud. A reference may have the option `optional` (the variable is left out when
// there is no such secret) or `default=TEXT`. `request` and `call` may be NULL. If a variable fails, the error
// is about the first one, and `vaultlet_error_variables` has all.
//
// # Safety
// Each pointer is NULL or valid, with as many entries as the request says; `out` may be written.
struct vaultlet_error *vaultlet_resolve_environment(const struct vaultlet_handle *handle,
                                                    const struct vaultlet_environment_request *request,
                                                    const struct vaultlet_call *call,
                                                    struct vaultlet_environment **out);

// Resolves the environment like `vaultlet_resolve_environment`, and calls back like `vaultlet_get_then`.
//
// # Safety
// As for `vaultlet_resolve_environment` and `vaultlet_get_then`.
void vaultlet_resolve_environment_then(const struct vaultlet_handle *handle,
                                       const struct vaultlet_environment_request *request,
                                       const struct vaultlet_call *call,
                                       vaultlet_on_environment told,
                                       void *context);

// Returns the secret of a variable, which lives as long as `environment`; NULL if there is none.
//
// # Safety
// `environment` is NULL or from vaultlet; `name` is NULL or ends with NUL.
const struct vaultlet_secret *vaultlet_environment_get(const struct vaultlet_environment *environment,
                                                       const char *name);

// Scrubs and frees the secrets of an environment; NULL is ignored.
//
// # Safety
// `environment` is NULL, or from vaultlet and not freed yet.
void vaultlet_environment_free(struct vaultlet_environment *environment);

// Returns the variables that failed, `*len` of them in the order of their names, if the error is one of
// `vaultlet_resolve_environment`; they live as long as the error. Returns NULL if there are none. `len` may be
// NULL.
//
// # Safety
// `error` is NULL or from vaultlet; `len` is NULL or may be written.
const struct vaultlet_failed_variable *vaultlet_error_variables(const struct vaultlet_error *error,
                                                                size_t *len);

// Frees an error; NULL is ignored.
//
// # Safety
// `error` is NULL, or from vaultlet and not freed yet.
void vaultlet_error_free(struct vaultlet_error *error);

// Gets a secret and waits for it. The first secret of a vault takes two requests, each further one
// takes one.
//
// `reference` is `akv://<vault>/<name>[/<version>][?json=<pointer>]`, the secret's own URL, or
// `@Microsoft.KeyVault(…)`. `call` may be NULL.
//
// # Safety
// Each pointer is NULL or valid; `out` may be written.
struct vaultlet_error *vaultlet_get(const struct vaultlet_handle *handle,
                                    const char *reference,
                                    const struct vaultlet_call *call,
                                    struct vaultlet_secret **out);

// Gets several secrets at once and waits for them. The secrets are in the order of the references. If
// one of them cannot be got, the call fails with the error of that one.
//
// # Safety
// `references` is NULL or points to `len` pointers; otherwise as for `vaultlet_get`.
struct vaultlet_error *vaultlet_get_many(const struct vaultlet_handle *handle,
                                         const char *const *references,
                                         size_t len,
                                         const struct vaultlet_call *call,
                                         struct vaultlet_secrets **out);

// Gets a secret like `vaultlet_get`, but calls `told` back instead of waiting: exactly once, on a
// thread of the library, or, if the call cannot be started, before this function returns. A callback
// must not call a function that waits.
//
// # Safety
// As for `vaultlet_get`; `told` may be called with `context` on another thread.
void vaultlet_get_then(const struct vaultlet_handle *handle,
                       const char *reference,
                       const struct vaultlet_call *call,
                       vaultlet_on_secret told,
                       void *context);

// Gets several secrets like `vaultlet_get_many`, and calls back like `vaultlet_get_then`.
//
// # Safety
// As for `vaultlet_get_many` and `vaultlet_get_then`.
void vaultlet_get_many_then(const struct vaultlet_handle *handle,
                            const char *const *references,
                            size_t len,
                            const struct vaultlet_call *call,
                            vaultlet_on_secrets told,
                            void *context);

// Returns the ABI version of the loaded library.
uint32_t vaultlet_abi(void);

// Returns the version of the library, such as `0.1.0`, as a static string that must not be freed.
const char *vaultlet_version(void);

// Opens a handle: loads the component and reads the settings, the environment and the certificates,
// without using the network.
//
// `abi` is `VAULTLET_ABI`; `options` may be NULL and still belongs to the caller.
//
// Like every function that can fail, this one returns NULL and sets `*out`, or returns an error and
// sets `*out` to NULL. The caller frees both.
//
// # Safety
// `options` is NULL or from vaultlet; `out` may be written.
struct vaultlet_error *vaultlet_open(uint32_t abi,
                                     const struct vaultlet_options *options,
                                     struct vaultlet_handle **out);

// Closes a handle; NULL is ignored. No thread may use the handle any more. Calls that were started
// with a callback continue, and call back when they end.
//
// # Safety
// `handle` is NULL, or from vaultlet and not closed yet.
void vaultlet_close(struct vaultlet_handle *handle);

// Lists the secrets of a vault, without their values, sorted by name, and waits. Disabled secrets are
// listed, too.
//
// `vault` is the name of a vault, its full host name, or `akv://<vault>`.
//
// # Safety
// As for `vaultlet_get`.
struct vaultlet_error *vaultlet_list(const struct vaultlet_handle *handle,
                                     const char *vault,
                                     const struct vaultlet_call *call,
                                     struct vaultlet_listing **out);

// Lists the versions of a secret, without their values, newest first, and waits.
//
// # Safety
// As for `vaultlet_get`.
struct vaultlet_error *vaultlet_versions(const struct vaultlet_handle *handle,
                                         const char *reference,
                                         const struct vaultlet_call *call,
                                         struct vaultlet_listing **out);

// Lists secrets like `vaultlet_list`, and calls back like `vaultlet_get_then`.
//
// # Safety
// As for `vaultlet_get_then`.
void vaultlet_list_then(const struct vaultlet_handle *handle,
                        const char *vault,
                        const struct vaultlet_call *call,
                        vaultlet_on_listing told,
                        void *context);

// Lists versions like `vaultlet_versions`, and calls back like `vaultlet_get_then`.
//
// # Safety
// As for `vaultlet_get_then`.
void vaultlet_versions_then(const struct vaultlet_handle *handle,
                            const char *reference,
                            const struct vaultlet_call *call,
                            vaultlet_on_listing told,
                            void *context);

// Frees a listing; NULL is ignored.
//
// # Safety
// `listing` is NULL, or from vaultlet and not freed yet.
void vaultlet_listing_free(struct vaultlet_listing *listing);

// Makes options in which nothing is set, so that all settings come from the environment.
struct vaultlet_options *vaultlet_options_new(void);

// Sets an option. The names are those of the command line's flags: `identity`, `exclude`,
// `client-id`, `object-id`, `resource-id`, `additional-tenants`, `user-assertion-file`, `cloud`,
// `timeout` (seconds), `ca-file` and `resolve` (both may be set several times),
// `allow-http-loopback` (`true` or `false`), `allow-http-identity` (hosts, separated by commas), `policy` (a file); `agent`
// (`unix:PATH` or `http://127.0.0.1:PORT`; an empty text means none), `agent-token-file` and `agent-fallback` (`none` or
// `direct`), which are those of `VAULTLET_AGENT`; and
// `concurrency`, the number of concurrent calls, 1 to 1024 (default 64). An option takes precedence over
// the environment variable. Some values are checked by `vaultlet_open` only.
//
// # Safety
// `options` is NULL or from vaultlet; the strings are NULL or end with NUL.
struct vaultlet_error *vaultlet_options_set(struct vaultlet_options *options,
                                            const char *name,
                                            const char *value);

// Sets an environment variable for this handle. Once one is set, the environment of the process is not
// read any more.
//
// # Safety
// As for `vaultlet_options_set`.
struct vaultlet_error *vaultlet_options_variable(struct vaultlet_options *options,
                                                 const char *name,
                                                 const char *value);

// Frees options; NULL is ignored.
//
// # Safety
// `options` is NULL, or from vaultlet and not freed yet.
void vaultlet_options_free(struct vaultlet_options *options);

// Makes a plan: which variables, files, keys and programs the credentials may read or use, and which
// servers they may connect to, without using the network. With a reference that is not NULL the plan
// has its vault, too. `*out` is a JSON object, to be freed by `vaultlet_text_free`:
// `{"vault"?,"variables","secrets","servers","files","keys","programs"}`, where the vault and each server is
// `{"host","port","tls","purpose"}` and everything else is a list of strings.
//
// # Safety
// As for `vaultlet_get`.
struct vaultlet_error *vaultlet_plan(const struct vaultlet_handle *handle,
                                     const char *reference,
                                     const struct vaultlet_call *call,
                                     char **out);

// Frees a text of `vaultlet_plan` and the other functions that give a `char *`; NULL is ignored.
//
// # Safety
// `text` is NULL, or from such a function and not freed yet.
void vaultlet_text_free(char *text);

#if defined(VAULTLET_PLUGINS)
// Makes options that grant nothing to a plugin.
struct vaultlet_plugin_options *vaultlet_plugin_options_new(void);
#endif

#if defined(VAULTLET_PLUGINS)
// Lets the plugin read a secret; may be called several times. A reference without a version grants all
// versions, one without a JSON pointer grants the whole secret and each member of it.
//
// # Safety
// Each pointer is NULL or valid.
struct vaultlet_error *vaultlet_plugin_options_grant(struct vaultlet_plugin_options *options,
                                                     const char *reference);
#endif

#if defined(VAULTLET_PLUGINS)
// Lets the plugin list the secrets of a vault and their versions, without values; may be called
// several times.
//
// # Safety
// Each pointer is NULL or valid.
struct vaultlet_error *vaultlet_plugin_options_grant_list(struct vaultlet_plugin_options *options,
                                                          const char *vault);
#endif

#if defined(VAULTLET_PLUGINS)
// Sets an option: `name` (of the plugin in the log), `memory` (limit of one call in bytes, default
// 64 MiB), `timeout` (of one call in seconds, default 30), `concurrency` (number of concurrent calls,
// default 4).
//
// # Safety
// Each pointer is NULL or valid.
struct vaultlet_error *vaultlet_plugin_options_set(struct vaultlet_plugin_options *options,
                                                   const char *name,
                                                   const char *value);
#endif

#if defined(VAULTLET_PLUGINS)
// Frees options; NULL is ignored.
//
// # Safety
// `options` is NULL, or from vaultlet and not freed yet.
void vaultlet_plugin_options_free(struct vaultlet_plugin_options *options);
#endif

#if defined(VAULTLET_PLUGINS)
// Opens a plugin: compiles `len` bytes of WebAssembly, a component that imports
// `vaultlet:keyvault/secrets`, and checks its imports. The plugin reads secrets with the settings and
// the identity of the handle, also after the handle is closed. Opening takes milliseconds for a small
// plugin and seconds for one that contains an interpreter, and does not use the network. `options` may
// be NULL and still belongs to the caller.
//
// # Safety
// Each pointer is NULL or valid; `out` may be written.
struct vaultlet_error *vaultlet_plugin_open(const struct vaultlet_handle *handle,
                                            const uint8_t *wasm,
                                            size_t len,
                                            const struct vaultlet_plugin_options *options,
                                            struct vaultlet_plugin **out);
#endif

#if defined(VAULTLET_PLUGINS)
// `vaultlet_plugin_open` with a call, whose `timeout_ms` limits how long compiling may take (the default
// is 60 seconds) and whose `cancel` ends it. Compiling takes place in a child process of at most 2 GiB.
// `call` may be NULL and must not name an identity.
//
// # Safety
// Each pointer is NULL or valid; `out` may be written.
struct vaultlet_error *vaultlet_plugin_open_with(const struct vaultlet_handle *handle,
                                                 const uint8_t *wasm,
                                                 size_t len,
                                                 const struct vaultlet_plugin_options *options,
                                                 const struct vaultlet_call *call,
                                                 struct vaultlet_plugin **out);
#endif

#if defined(VAULTLET_PLUGINS)
// Calls a function that the plugin exports, and waits for its result. The call is text in WAVE, the
// text form of component values: `describe("akv://job/db")`, or with the interface of the function
// `example:plugin/api@0.1.0#describe("…")`. The result is in the same form, such as `ok("…")`, or empty
// if the function has none, and is freed by `vaultlet_text_free`. `call` may be NULL and must not name
// an identity.
//
// # Safety
// Each pointer is NULL or valid; `out` may be written.
struct vaultlet_error *vaultlet_plugin_call(const struct vaultlet_plugin *plugin,
                                            const char *function,
                                            const struct vaultlet_call *call,
                                            char **out);
#endif

#if defined(VAULTLET_PLUGINS)
// Quotes a string as WAVE does, for the arguments of a call. The result is freed by
// `vaultlet_text_free`. Returns NULL if `value` is NULL or not UTF-8.
//
// # Safety
// `value` is NULL or ends with NUL.
char *vaultlet_wave_text(const char *value);
#endif

#if defined(VAULTLET_PLUGINS)
// Closes a plugin; NULL is ignored. No thread may use the plugin any more.
//
// # Safety
// `plugin` is NULL, or from vaultlet and not closed yet.
void vaultlet_plugin_close(struct vaultlet_plugin *plugin);
#endif

// Returns the value of a secret: `*len` bytes of UTF-8 with a NUL after them. The value may be empty
// and may contain NUL bytes. It lives until the secret is freed, which scrubs it. `len` may be NULL.
// Returns NULL for NULL.
//
// # Safety
// `secret` is NULL or from vaultlet; `len` is NULL or may be written.
const char *vaultlet_secret_reveal(const struct vaultlet_secret *secret, size_t *len);

// Returns the properties of a secret, which live as long as the secret. Returns NULL for NULL.
//
// # Safety
// `secret` is NULL or from vaultlet.
const struct vaultlet_properties *vaultlet_secret_properties(const struct vaultlet_secret *secret);

// Scrubs and frees a secret; NULL is ignored. The items of a `vaultlet_secrets` must not be freed
// by this function.
//
// # Safety
// `secret` is NULL, or from vaultlet and not freed yet.
void vaultlet_secret_free(struct vaultlet_secret *secret);

// Scrubs and frees several secrets; NULL is ignored.
//
// # Safety
// `secrets` is NULL, or from vaultlet and not freed yet.
void vaultlet_secrets_free(struct vaultlet_secrets *secrets);

// Gets a token, from the token cache if it is there, and waits for it.
//
// # Safety
// `request` and `call` are NULL or valid; `out` may be written.
struct vaultlet_error *vaultlet_get_token(const struct vaultlet_handle *handle,
                                          const struct vaultlet_token_request *request,
                                          const struct vaultlet_call *call,
                                          struct vaultlet_token **out);

// Gets a token, waits for it, and says which identity it belongs to. A token of
// `vaultlet_get_token_then` says the same by `vaultlet_token_identity`.
//
// # Safety
// As for `vaultlet_get_token`.
struct vaultlet_error *vaultlet_whoami(const struct vaultlet_handle *handle,
                                       const struct vaultlet_token_request *request,
                                       const struct vaultlet_call *call,
                                       struct vaultlet_identity **out);

// Gets a token like `vaultlet_get_token`, and calls back like `vaultlet_get_then`.
//
// # Safety
// As for `vaultlet_get_then`.
void vaultlet_get_token_then(const struct vaultlet_handle *handle,
                             const struct vaultlet_token_request *request,
                             const struct vaultlet_call *call,
                             vaultlet_on_token told,
                             void *context);

// Returns the token itself, which goes after `Bearer`: `*len` bytes with a NUL after them. It lives
// until the token is freed, which scrubs it. `len` may be NULL. Returns NULL for NULL.
//
// # Safety
// `token` is NULL or from vaultlet; `len` is NULL or may be written.
const char *vaultlet_token_reveal(const struct vaultlet_token *token, size_t *len);

// Returns the identity that a token belongs to, which lives as long as the token. Returns NULL for
// NULL.
//
// # Safety
// `token` is NULL or from vaultlet.
const struct vaultlet_identity *vaultlet_token_identity(const struct vaultlet_token *token);

// Scrubs and frees a token; NULL is ignored.
//
// # Safety
// `token` is NULL, or from vaultlet and not freed yet.
void vaultlet_token_free(struct vaultlet_token *token);

// Frees an identity of `vaultlet_whoami`; NULL is ignored. The identity of a token must not be freed
// by this function.
//
// # Safety
// `identity` is NULL, or from `vaultlet_whoami` and not freed yet.
void vaultlet_identity_free(struct vaultlet_identity *identity);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VAULTLET_H */
