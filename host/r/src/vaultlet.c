/* R functions that call libvaultlet.  Each returns its result, or an error as a list of the class
 * vaultlet_failure.  An allocation by R can fail and jump out of a function, so every native object is
 * in an external pointer before. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <R.h>
#include <Rinternals.h>
#include <R_ext/Rdynload.h>

#include <vaultlet.h>

/* -- native objects in external pointers ------------------------------------------------------ */

/* The tag of a pointer is a raw vector with the address of the function that frees the object. */
typedef void (*freeing)(void *);

static void release(SEXP pointer) {
  void *object = R_ExternalPtrAddr(pointer);
  SEXP tag = R_ExternalPtrTag(pointer);
  if (object == NULL) return;
  R_ClearExternalPtr(pointer);
  if (TYPEOF(tag) != RAWSXP) return;
  freeing free_object;
  memcpy(&free_object, RAW(tag), sizeof free_object);
  free_object(object);
}

/* An external pointer without an object yet, because making it can fail. */
static SEXP holder(freeing free_object) {
  SEXP tag = PROTECT(Rf_allocVector(RAWSXP, sizeof free_object));
  memcpy(RAW(tag), &free_object, sizeof free_object);
  SEXP pointer = PROTECT(R_MakeExternalPtr(NULL, tag, R_NilValue));
  R_RegisterCFinalizerEx(pointer, release, TRUE);
  UNPROTECT(2);
  return pointer;
}

static void free_handle(void *object) { vaultlet_close(object); }
static void free_options(void *object) { vaultlet_options_free(object); }
static void free_secret(void *object) { vaultlet_secret_free(object); }
static void free_secrets(void *object) { vaultlet_secrets_free(object); }
static void free_environment(void *object) { vaultlet_environment_free(object); }
static void free_token(void *object) { vaultlet_token_free(object); }
static void free_listing(void *object) { vaultlet_listing_free(object); }
static void free_error(void *object) { vaultlet_error_free(object); }

static void *object_of(SEXP pointer) {
  void *object = R_ExternalPtrAddr(pointer);
  if (object == NULL) Rf_error("it is closed, or from another session");
  return object;
}

SEXP C_close(SEXP pointer) {
  release(pointer);
  return R_NilValue;
}

/* -- lists of R ------------------------------------------------------------------------------- */

static SEXP text(const char *value) {
  return Rf_ScalarString(value == NULL ? NA_STRING : Rf_mkCharCE(value, CE_UTF8));
}

static SEXP number(int64_t value) {
  return Rf_ScalarReal(value == VAULTLET_UNKNOWN ? NA_REAL : (double)value);
}

static SEXP flag(int64_t value) {
  return Rf_ScalarLogical(value == VAULTLET_UNKNOWN ? NA_LOGICAL : value != 0);
}

static SEXP instant(int64_t seconds) {
  SEXP time = PROTECT(number(seconds));
  SEXP class = PROTECT(Rf_allocVector(STRSXP, 2));
  SET_STRING_ELT(class, 0, Rf_mkChar("POSIXct"));
  SET_STRING_ELT(class, 1, Rf_mkChar("POSIXt"));
  Rf_setAttrib(time, R_ClassSymbol, class);
  Rf_setAttrib(time, Rf_install("tzone"), PROTECT(Rf_mkString("UTC")));
  UNPROTECT(3);
  return time;
}

/* Puts each member into the list as soon as it is made, where it is protected. */
#define MEMBER(value) SET_VECTOR_ELT(list, at++, value)

static SEXP properties(const vaultlet_properties *p) {
  const char *names[] = {"vault", "name", "version", "content_type", "enabled", "created", "updated",
                         "not_before", "expires", "recovery_level", "recoverable_days", "managed",
                         "kid", "tags", ""};
  SEXP list = PROTECT(Rf_mkNamed(VECSXP, names));
  int at = 0;
  MEMBER(text(p->vault));
  MEMBER(text(p->name));
  MEMBER(text(p->version));
  MEMBER(text(p->content_type));
  MEMBER(flag(p->enabled));
  MEMBER(instant(p->created));
  MEMBER(instant(p->updated));
  MEMBER(instant(p->not_before));
  MEMBER(instant(p->expires));
  MEMBER(text(p->recovery_level));
  MEMBER(number(p->recoverable_days));
  MEMBER(flag(p->managed));
  MEMBER(text(p->kid));
  SEXP tags = PROTECT(Rf_allocVector(STRSXP, p->tags_len));
  SEXP tag_names = PROTECT(Rf_allocVector(STRSXP, p->tags_len));
  for (size_t i = 0; i < p->tags_len; i++) {
    SET_STRING_ELT(tags, i, Rf_mkCharCE(p->tags[i].value, CE_UTF8));
    SET_STRING_ELT(tag_names, i, Rf_mkCharCE(p->tags[i].name, CE_UTF8));
  }
  Rf_setAttrib(tags, R_NamesSymbol, tag_names);
  MEMBER(tags);
  UNPROTECT(3);
  return list;
}

static SEXP identity(const vaultlet_identity *i) {
  const char *names[] = {"source", "endpoint", "resource", "client_id", "tenant", "object_id",
                         "app_id", "upn", "audience", "expires_on", "refresh_on", "notes", ""};
  SEXP list = PROTECT(Rf_mkNamed(VECSXP, names));
  int at = 0;
  MEMBER(text(i->source));
  MEMBER(text(i->endpoint));
  MEMBER(text(i->resource));
  MEMBER(text(i->client_id));
  MEMBER(text(i->tenant));
  MEMBER(text(i->object_id));
  MEMBER(text(i->app_id));
  MEMBER(text(i->upn));
  MEMBER(text(i->audience));
  MEMBER(instant(i->expires_on));
  MEMBER(instant(i->refresh_on));
  SEXP notes = MEMBER(Rf_allocVector(STRSXP, i->notes_len));
  for (size_t n = 0; n < i->notes_len; n++) SET_STRING_ELT(notes, n, Rf_mkCharCE(i->notes[n], CE_UTF8));
  UNPROTECT(1);
  return list;
}

static SEXP attempts(const vaultlet_error *e) {
  SEXP all = PROTECT(Rf_allocVector(VECSXP, e->attempts_len));
  for (size_t i = 0; i < e->attempts_len; i++) {
    const char *names[] = {"source", "endpoint", "outcome", "message", ""};
    SEXP list = Rf_mkNamed(VECSXP, names);
    int at = 0;
    SET_VECTOR_ELT(all, i, list);
    MEMBER(text(e->attempts[i].source));
    MEMBER(text(e->attempts[i].endpoint));
    MEMBER(text(e->attempts[i].outcome));
    MEMBER(text(e->attempts[i].message));
  }
  UNPROTECT(1);
  return all;
}

static SEXP variables(const vaultlet_error *e) {
  size_t length;
  const vaultlet_failed_variable *failed = vaultlet_error_variables(e, &length);
  SEXP all = PROTECT(Rf_allocVector(VECSXP, length));
  for (size_t i = 0; i < length; i++) {
    const char *names[] = {"name", "id", "kind", "message", ""};
    SEXP list = Rf_mkNamed(VECSXP, names);
    int at = 0;
    SET_VECTOR_ELT(all, i, list);
    MEMBER(text(failed[i].name));
    MEMBER(text(failed[i].id));
    MEMBER(text(failed[i].kind_name));
    MEMBER(text(failed[i].message));
  }
  UNPROTECT(1);
  return all;
}

static SEXP failure(vaultlet_error *error) {
  SEXP pointer = PROTECT(holder(free_error));
  R_SetExternalPtrAddr(pointer, error);
  const char *names[] = {"kind", "id", "message", "help", "status", "code", "request_id",
                         "retry_after", "attempts", "variables", "line", ""};
  SEXP list = PROTECT(Rf_mkNamed(VECSXP, names));
  int at = 0;
  int64_t wait = error->retry_after_ms;
  MEMBER(text(error->kind_name));
  MEMBER(text(error->id));
  MEMBER(text(error->message));
  MEMBER(text(error->help));
  MEMBER(Rf_ScalarInteger(error->status == 0 ? NA_INTEGER : error->status));
  MEMBER(text(error->code));
  MEMBER(text(error->request_id));
  MEMBER(Rf_ScalarReal(wait == VAULTLET_UNKNOWN ? NA_REAL : (double)wait / 1000));
  MEMBER(attempts(error));
  MEMBER(variables(error));
  MEMBER(text(error->line));
  Rf_setAttrib(list, R_ClassSymbol, PROTECT(Rf_mkString("vaultlet_failure")));
  release(pointer);
  UNPROTECT(3);
  return list;
}

/* A secret or token: its type, its pointer, and everything but the value. */
static SEXP sealed(const char *type, SEXP pointer, SEXP known) {
  const char *names[] = {"type", "pointer", "properties", ""};
  SEXP list = PROTECT(Rf_mkNamed(VECSXP, names));
  int at = 0;
  SET_VECTOR_ELT(list, 2, known);
  SET_VECTOR_ELT(list, 1, pointer);
  MEMBER(text(type));
  UNPROTECT(1);
  return list;
}

/* -- calls, which an interrupt cancels ----------------------------------------------------------- */

typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int ended;
  vaultlet_error *error;
  void *result;
  vaultlet_cancel *cancel;
} running;

static void end(running *r, vaultlet_error *error, void *result) {
  pthread_mutex_lock(&r->mutex);
  r->error = error;
  r->result = result;
  r->ended = 1;
  pthread_cond_signal(&r->changed);
  pthread_mutex_unlock(&r->mutex);
}

static void on_secret(void *r, vaultlet_error *error, vaultlet_secret *result) { end(r, error, result); }
static void on_secrets(void *r, vaultlet_error *error, vaultlet_secrets *result) { end(r, error, result); }
static void on_environment(void *r, vaultlet_error *error, vaultlet_environment *result) { end(r, error, result); }
static void on_listing(void *r, vaultlet_error *error, vaultlet_listing *result) { end(r, error, result); }
static void on_token(void *r, vaultlet_error *error, vaultlet_token *result) { end(r, error, result); }

static vaultlet_call begin(running *r, SEXP limit) {
  memset(r, 0, sizeof *r);
  pthread_mutex_init(&r->mutex, NULL);
  pthread_cond_init(&r->changed, NULL);
  r->cancel = vaultlet_cancel_new();
  vaultlet_call call = {sizeof call, (int64_t)Rf_asReal(limit), r->cancel, NULL, NULL, NULL};
  return call;
}

static void interrupts(void *unused) {
  (void)unused;
  R_CheckUserInterrupt();
}

/* Waits without allocating, and checks for an interrupt ten times a second.  Puts the result into the
 * pointer and returns NULL of R, or returns the error. */
static SEXP await(running *r, SEXP pointer) {
  int interrupted = 0;
  pthread_mutex_lock(&r->mutex);
  while (!r->ended) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100 * 1000 * 1000;
    if (until.tv_nsec >= 1000 * 1000 * 1000) {
      until.tv_nsec -= 1000 * 1000 * 1000;
      until.tv_sec++;
    }
    int waited = pthread_cond_timedwait(&r->changed, &r->mutex, &until);
    if (waited != ETIMEDOUT || interrupted || r->ended) continue;
    pthread_mutex_unlock(&r->mutex);
    if (!R_ToplevelExec(interrupts, NULL)) {
      interrupted = 1;
      vaultlet_cancel_now(r->cancel);
    }
    pthread_mutex_lock(&r->mutex);
  }
  pthread_mutex_unlock(&r->mutex);
  pthread_cond_destroy(&r->changed);
  pthread_mutex_destroy(&r->mutex);
  vaultlet_cancel_free(r->cancel);
  if (r->error != NULL) return failure(r->error);
  R_SetExternalPtrAddr(pointer, r->result);
  return R_NilValue;
}

static const char *utf8(SEXP strings, R_xlen_t at) { return CHAR(STRING_ELT(strings, at)); }

static const char *optional(SEXP string) { return Rf_isNull(string) ? NULL : utf8(string, 0); }

SEXP C_open(SEXP names, SEXP values, SEXP variables, SEXP variable_values) {
  SEXP options = PROTECT(holder(free_options)), handle = PROTECT(holder(free_handle));
  R_SetExternalPtrAddr(options, vaultlet_options_new());
  vaultlet_options *native = R_ExternalPtrAddr(options);
  vaultlet_error *error = NULL;
  /* An empty variable counts as unset.  Setting one makes the library ignore the process environment,
   * even if no other variable is given. */
  if (!Rf_isNull(variable_values)) error = vaultlet_options_variable(native, "VAULTLET_IDENTITY", "");
  for (R_xlen_t i = 0; error == NULL && i < Rf_xlength(variable_values); i++)
    error = vaultlet_options_variable(native, utf8(variables, i), utf8(variable_values, i));
  for (R_xlen_t i = 0; error == NULL && i < Rf_xlength(values); i++)
    error = vaultlet_options_set(native, utf8(names, i), utf8(values, i));
  vaultlet_handle *opened = NULL;
  if (error == NULL) error = vaultlet_open(VAULTLET_ABI, native, &opened);
  R_SetExternalPtrAddr(handle, opened);
  release(options);
  SEXP answer = error == NULL ? handle : failure(error);
  UNPROTECT(2);
  return answer;
}

SEXP C_get(SEXP handle, SEXP reference, SEXP limit) {
  SEXP pointer = PROTECT(holder(free_secret));
  running r;
  const vaultlet_handle *v = object_of(handle);
  vaultlet_call call = begin(&r, limit);
  vaultlet_get_then(v, utf8(reference, 0), &call, on_secret, &r);
  SEXP answer = PROTECT(await(&r, pointer));
  if (Rf_isNull(answer)) {
    SEXP known = PROTECT(properties(vaultlet_secret_properties(r.result)));
    answer = sealed("secret", pointer, known);
    UNPROTECT(1);
  }
  UNPROTECT(2);
  return answer;
}

SEXP C_get_many(SEXP handle, SEXP references, SEXP limit) {
  SEXP pointer = PROTECT(holder(free_secrets));
  R_xlen_t length = Rf_xlength(references);
  const char **texts = (const char **)R_alloc(length + 1, sizeof *texts);
  for (R_xlen_t i = 0; i < length; i++) texts[i] = utf8(references, i);
  running r;
  const vaultlet_handle *v = object_of(handle);
  vaultlet_call call = begin(&r, limit);
  vaultlet_get_many_then(v, texts, length, &call, on_secrets, &r);
  SEXP answer = PROTECT(await(&r, pointer));
  if (Rf_isNull(answer)) {
    const vaultlet_secrets *secrets = r.result;
    answer = PROTECT(Rf_allocVector(VECSXP, secrets->len));
    for (size_t i = 0; i < secrets->len; i++) {
      /* Each secret keeps all of them reachable, and they are freed with the last one. */
      SEXP one = PROTECT(R_MakeExternalPtr(secrets->items[i], R_NilValue, pointer));
      SEXP known = PROTECT(properties(vaultlet_secret_properties(secrets->items[i])));
      SET_VECTOR_ELT(answer, i, sealed("secret", one, known));
      UNPROTECT(2);
    }
    UNPROTECT(1);
  }
  UNPROTECT(2);
  return answer;
}

SEXP C_resolve_environment(SEXP handle, SEXP names, SEXP values, SEXP only, SEXP limit) {
  SEXP pointer = PROTECT(holder(free_environment));
  vaultlet_environment_request request = {sizeof request, NULL, 0, NULL, 0};
  if (!Rf_isNull(values)) {
    request.variables_len = Rf_xlength(values);
    vaultlet_variable *variables = (vaultlet_variable *)R_alloc(request.variables_len + 1, sizeof *variables);
    for (size_t i = 0; i < request.variables_len; i++) {
      variables[i].name = utf8(names, i);
      variables[i].value = utf8(values, i);
    }
    request.variables = variables;
  }
  if (!Rf_isNull(only)) {
    request.only_len = Rf_xlength(only);
    const char **texts = (const char **)R_alloc(request.only_len + 1, sizeof *texts);
    for (size_t i = 0; i < request.only_len; i++) texts[i] = utf8(only, i);
    request.only = texts;
  }
  running r;
  const vaultlet_handle *v = object_of(handle);
  vaultlet_call call = begin(&r, limit);
  vaultlet_resolve_environment_then(v, &request, &call, on_environment, &r);
  SEXP answer = PROTECT(await(&r, pointer));
  if (Rf_isNull(answer)) {
    const vaultlet_environment *environment = r.result;
    const vaultlet_secrets *secrets = &environment->secrets;
    answer = PROTECT(Rf_allocVector(VECSXP, secrets->len));
    SEXP by = PROTECT(Rf_allocVector(STRSXP, secrets->len));
    for (size_t i = 0; i < secrets->len; i++) {
      /* Each secret keeps all of them reachable, and they are freed with the last one. */
      SEXP one = PROTECT(R_MakeExternalPtr(secrets->items[i], R_NilValue, pointer));
      SEXP known = PROTECT(properties(vaultlet_secret_properties(secrets->items[i])));
      SET_VECTOR_ELT(answer, i, sealed("secret", one, known));
      SET_STRING_ELT(by, i, Rf_mkCharCE(environment->names[i], CE_UTF8));
      UNPROTECT(2);
    }
    Rf_setAttrib(answer, R_NamesSymbol, by);
    UNPROTECT(2);
  }
  UNPROTECT(2);
  return answer;
}

SEXP C_list(SEXP handle, SEXP subject, SEXP limit, SEXP versions) {
  SEXP pointer = PROTECT(holder(free_listing));
  running r;
  const vaultlet_handle *v = object_of(handle);
  vaultlet_call call = begin(&r, limit);
  if (Rf_asLogical(versions)) vaultlet_versions_then(v, utf8(subject, 0), &call, on_listing, &r);
  else vaultlet_list_then(v, utf8(subject, 0), &call, on_listing, &r);
  SEXP answer = PROTECT(await(&r, pointer));
  if (Rf_isNull(answer)) {
    const vaultlet_listing *listing = r.result;
    answer = PROTECT(Rf_allocVector(VECSXP, listing->len));
    for (size_t i = 0; i < listing->len; i++) SET_VECTOR_ELT(answer, i, properties(&listing->items[i]));
    release(pointer);
    UNPROTECT(1);
  }
  UNPROTECT(2);
  return answer;
}

SEXP C_token(SEXP handle, SEXP resource, SEXP tenant, SEXP claims, SEXP limit) {
  SEXP pointer = PROTECT(holder(free_token));
  running r;
  const vaultlet_handle *v = object_of(handle);
  vaultlet_token_request request = {sizeof request, optional(resource), optional(tenant), optional(claims)};
  vaultlet_call call = begin(&r, limit);
  vaultlet_get_token_then(v, &request, &call, on_token, &r);
  SEXP answer = PROTECT(await(&r, pointer));
  if (Rf_isNull(answer)) {
    SEXP known = PROTECT(identity(vaultlet_token_identity(r.result)));
    answer = sealed("token", pointer, known);
    UNPROTECT(1);
  }
  UNPROTECT(2);
  return answer;
}

SEXP C_reveal(SEXP pointer, SEXP type, SEXP raw) {
  const void *object = object_of(pointer);
  size_t length;
  const char *value = strcmp(utf8(type, 0), "token") == 0 ? vaultlet_token_reveal(object, &length)
                                                        : vaultlet_secret_reveal(object, &length);
  if (Rf_asLogical(raw)) {
    SEXP bytes = Rf_allocVector(RAWSXP, length);
    if (length > 0) memcpy(RAW(bytes), value, length);
    return bytes;
  }
  /* The error that R itself makes of it would show the value. */
  if (memchr(value, 0, length) != NULL) Rf_error("the value has a NUL byte in it; use raw = TRUE");
  return Rf_ScalarString(Rf_mkCharLenCE(value, (int)length, CE_UTF8));
}

SEXP C_version(void) { return text(vaultlet_version()); }

static const R_CallMethodDef calls[] = {
    {"C_open", (DL_FUNC)&C_open, 4},         {"C_close", (DL_FUNC)&C_close, 1},
    {"C_get", (DL_FUNC)&C_get, 3},           {"C_get_many", (DL_FUNC)&C_get_many, 3},
    {"C_list", (DL_FUNC)&C_list, 4},         {"C_token", (DL_FUNC)&C_token, 5},
    {"C_resolve_environment", (DL_FUNC)&C_resolve_environment, 5},
    {"C_reveal", (DL_FUNC)&C_reveal, 3},     {"C_version", (DL_FUNC)&C_version, 0},
    {NULL, NULL, 0},
};

void R_init_vaultlet(DllInfo *info) {
  R_registerRoutines(info, NULL, calls, NULL, NULL);
  R_useDynamicSymbols(info, FALSE);
}
