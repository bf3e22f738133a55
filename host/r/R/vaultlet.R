# Each C function returns its result, or an error as a list of the class vaultlet_failure.
checked <- function(result) {
  if (!inherits(result, "vaultlet_failure")) return(result)
  if (result$id == "cancelled") interrupt()
  stop(condition(unclass(result)))
}

# Only an interrupt by the user cancels a call.
interrupt <- function() {
  signalCondition(structure(class = c("interrupt", "condition"), list(message = "", call = NULL)))
  invokeRestart("abort")
}

# Makes an error condition: the message is the whole line, the class and the members are for programs.
condition <- function(fields) {
  kind <- paste0("vaultlet_", gsub("-", "_", fields$kind, fixed = TRUE))
  fields$what <- fields$message
  fields$message <- fields$line
  structure(
    class = c(kind, "vaultlet_error", "error", "condition"),
    c(fields[names(fields) != "line"], list(call = NULL))
  )
}

# The default handle, which is opened when it is first needed.
shared <- new.env(parent = emptyenv())
default <- function() {
  if (is.null(shared$handle)) shared$handle <- vaultlet_open()
  shared$handle
}

vaultlet_open <- function(identity = NULL, exclude = NULL, client_id = NULL, object_id = NULL,
                          resource_id = NULL, additional_tenants = NULL,
                          user_assertion_file = NULL, cloud = NULL, concurrency = NULL,
                          timeout = NULL, ca_file = NULL, resolve = NULL,
                          allow_http_loopback = NULL, allow_http_identity = NULL,
                          policy = NULL, agent = NULL, agent_token_file = NULL,
                          agent_fallback = NULL, variables = NULL) {
  joined <- function(texts, by) if (!is.null(texts)) paste(texts, collapse = by)
  given <- list( # an element that is NULL is left out
    identity = joined(identity, ","), exclude = joined(exclude, ","), `client-id` = client_id,
    `object-id` = object_id, `resource-id` = resource_id,
    `additional-tenants` = joined(additional_tenants, ";"),
    `user-assertion-file` = user_assertion_file, cloud = cloud, concurrency = concurrency,
    timeout = timeout, `ca-file` = ca_file, resolve = resolve,
    `allow-http-loopback` = if (!is.null(allow_http_loopback)) tolower(isTRUE(allow_http_loopback)),
    `allow-http-identity` = joined(allow_http_identity, ","), policy = policy, agent = agent,
    `agent-token-file` = agent_token_file, `agent-fallback` = agent_fallback
  )
  # An option that is given several times has one element for each value.
  names <- rep(names(given), lengths(given))
  values <- vapply(unlist(given, use.names = FALSE), plain, "")
  if (!is.null(variables)) variables <- vapply(variables, text, "")
  handle <- checked(.Call(C_open, names, values, names(variables), variables))
  structure(list(pointer = handle), class = "vaultlet")
}

vaultlet_get <- function(reference, vaultlet = default(), timeout = NULL) {
  sealed(.Call(C_get, pointer(vaultlet), text(reference), limit(timeout)))
}

vaultlet_get_many <- function(references, vaultlet = default(), timeout = NULL) {
  references <- vapply(references, text, "", USE.NAMES = FALSE)
  secrets <- checked(.Call(C_get_many, pointer(vaultlet), references, limit(timeout)))
  lapply(secrets, sealed)
}

vaultlet_resolve_environment <- function(variables = NULL, only = NULL, vaultlet = default(),
                                         timeout = NULL) {
  if (!is.null(variables)) {
    variables <- vapply(variables, text, "")
    stopifnot(length(variables) == 0 || !is.null(names(variables)))
  }
  if (!is.null(only)) only <- vapply(only, text, "", USE.NAMES = FALSE)
  secrets <- checked(.Call(
    C_resolve_environment, pointer(vaultlet), names(variables), variables, only, limit(timeout)
  ))
  lapply(secrets, sealed)
}

vaultlet_list <- function(vault, vaultlet = default(), timeout = NULL) {
  checked(.Call(C_list, pointer(vaultlet), text(vault), limit(timeout), FALSE))
}

vaultlet_versions <- function(reference, vaultlet = default(), timeout = NULL) {
  checked(.Call(C_list, pointer(vaultlet), text(reference), limit(timeout), TRUE))
}

vaultlet_token <- function(resource = NULL, tenant = NULL, claims = NULL, vaultlet = default(),
                           timeout = NULL) {
  sealed(.Call(C_token, pointer(vaultlet), resource, tenant, claims, limit(timeout)))
}

vaultlet_whoami <- function(vaultlet = default(), timeout = NULL) {
  token <- vaultlet_token(vaultlet = vaultlet, timeout = timeout)
  on.exit(close(token))
  properties(token)
}

vaultlet_version <- function() .Call(C_version)

reveal <- function(secret, raw = FALSE) {
  stopifnot(inherits(secret, "vaultlet_sealed"))
  .Call(C_reveal, secret$pointer, secret$type, isTRUE(raw))
}

properties <- function(secret) {
  stopifnot(inherits(secret, "vaultlet_sealed"))
  secret$properties
}

sealed <- function(result) {
  result <- checked(result)
  structure(result, class = c(paste0("vaultlet_", result$type), "vaultlet_sealed"))
}

pointer <- function(vaultlet) {
  stopifnot(inherits(vaultlet, "vaultlet"))
  vaultlet$pointer
}

text <- function(value) {
  stopifnot(is.character(value), length(value) == 1L, !is.na(value))
  enc2utf8(value)
}

plain <- function(value) enc2utf8(format(value, scientific = FALSE, digits = 15))

# A time limit in milliseconds; 0 means that of the handle.
limit <- function(seconds) {
  if (is.null(seconds)) return(0)
  stopifnot(is.numeric(seconds), length(seconds) == 1L, seconds > 0)
  ceiling(seconds * 1000)
}

close.vaultlet <- function(con, ...) invisible(.Call(C_close, con$pointer))
format.vaultlet <- function(x, ...) "<vaultlet>"
print.vaultlet <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

close.vaultlet_sealed <- function(con, ...) invisible(.Call(C_close, con$pointer))
format.vaultlet_sealed <- function(x, ...) {
  p <- x$properties
  if (x$type == "token") return(paste0("<token for ", p$resource, ">"))
  version <- if (!is.na(p$version)) paste0("/", p$version) else ""
  paste0("<secret akv://", p$vault, "/", p$name, version, ">")
}
# `paste`, `sprintf` and comparisons with text convert by this: the value is meant there, and would be missing in silence.
as.character.vaultlet_sealed <- function(x, ...) {
  stop("a secret or token is no text: write reveal(x) where its value is meant, format(x) for where it is from", call. = FALSE)
}
# Data frames print by this.
toString.vaultlet_sealed <- function(x, ...) format(x)
Ops.vaultlet_sealed <- function(e1, e2) as.character.vaultlet_sealed()
print.vaultlet_sealed <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
str.vaultlet_sealed <- function(object, ...) cat(" ", format(object), "\n", sep = "")
