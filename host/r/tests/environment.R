# Resolves its own environment and prints the secrets, or what failed: `NAME=VALUE` or `NAME: ID KIND`. The arguments after
# `--only` are the names of the variables to resolve.
library(vaultlet)

if (!nzchar(Sys.getenv("EXPECTED"))) {
  message("skipped: not in a local Azure")
  quit()
}
arguments <- commandArgs(trailingOnly = TRUE)
only <- if (length(arguments) > 0) arguments[-1]
before <- Sys.getenv()
secrets <- tryCatch(vaultlet_resolve_environment(only = only), vaultlet_error = identity)
# The variables of a call, in place of the environment.
given <- tryCatch(
  vaultlet_resolve_environment(unclass(before), only, vaultlet_open(timeout = 60)),
  vaultlet_error = identity
)
stopifnot(identical(before, Sys.getenv()))
stopifnot(inherits(secrets, "vaultlet_error") == inherits(given, "vaultlet_error"))
if (inherits(secrets, "vaultlet_error")) {
  message(conditionMessage(secrets))
  stopifnot(identical(secrets$variables, given$variables))
  for (failed in secrets$variables) {
    stopifnot(grepl(failed$message, conditionMessage(secrets), fixed = TRUE))
    cat(failed$name, ": ", failed$id, " ", failed$kind, "\n", sep = "")
  }
} else {
  stopifnot(identical(names(secrets), names(given)))
  for (name in names(secrets)) {
    stopifnot(inherits(secrets[[name]], "vaultlet_secret"), identical(reveal(secrets[[name]]), reveal(given[[name]])))
    cat(name, "=", reveal(secrets[[name]]), "\n", sep = "")
  }
}
