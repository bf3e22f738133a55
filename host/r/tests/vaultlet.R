# In a local Azure: `vaultlet dev --as user --vault my-key-vault --seed db-password=… -- Rscript …`.
library(vaultlet)

expected <- Sys.getenv("EXPECTED")
if (!nzchar(expected)) {
  message("skipped: not in a local Azure")
  quit()
}
reference <- "akv://my-key-vault/db-password"
nowhere <- "akv://my-key-vault/another"

# The value and the properties of a secret, and what it prints as.
password <- vaultlet_get(reference)
stopifnot(identical(reveal(password), expected))
stopifnot(identical(reveal(password, raw = TRUE), charToRaw(expected)))
p <- properties(password)
stopifnot(p$name == "db-password", nchar(p$version) == 32, p$enabled, is.na(p$expires))
stopifnot(inherits(p$created, "POSIXct"), abs(difftime(Sys.time(), p$created, units = "hours")) < 1)

shown <- "<secret akv://my-key-vault.vault.azure.net/db-password/"
output <- c(
  capture.output(print(password)), capture.output(password), format(password),
  toString(password), capture.output(str(password)),
  capture.output(str(list(a = password))), capture.output(print(list(a = password))),
  capture.output(dput(password)), capture.output(cat(format(password))), deparse(password),
  capture.output(print(unclass(password))), capture.output(summary(password)),
  rawToChar(serialize(password, NULL, ascii = TRUE)),
  capture.output(print(data.frame(a = I(list(password))))),
  conditionMessage(tryCatch(stop(password), error = identity)),
  conditionMessage(tryCatch(password + 1, error = identity))
)
stopifnot(startsWith(format(password), shown), any(startsWith(output, shown)))
stopifnot(!any(grepl(expected, output, fixed = TRUE)))

# Where the value is meant, its absence is not silent.
for (mistake in expression(
  paste(password), paste0("password=", password), sprintf("%s", password), as.character(password), password == "x",
  "x" != password, message(password), gsub("%", password, "%")
)) {
  said <- tryCatch({ suppressMessages(eval(mistake)); "nothing" }, error = conditionMessage)
  if (!grepl("reveal(x)", said, fixed = TRUE)) stop(deparse(mistake), " says ", said)
}

# A secret cannot be restored from a file, or revealed after close.
again <- unserialize(serialize(password, NULL))
stopifnot(grepl("closed", tryCatch(reveal(again), error = conditionMessage), fixed = TRUE))
close(password)
close(password)
stopifnot(grepl("closed", tryCatch(reveal(password), error = conditionMessage), fixed = TRUE))

# Several secrets at once, which are closed one by one.
both <- vaultlet_get_many(c(reference, reference))
close(both[[1]])
invisible(gc())
stopifnot(length(both) == 2, identical(reveal(both[[2]]), expected))
stopifnot(length(vaultlet_get_many(character())) == 0)

# On behalf of the user, or with the identity of the compute.
stopifnot(vaultlet_whoami()$source == "azureml-obo")
managed <- vaultlet_open(identity = "managed-identity", timeout = 30)
stopifnot(vaultlet_whoami(managed)$source == "managed-identity")
stopifnot(identical(reveal(vaultlet_get(reference, managed)), expected))

# Tokens.
token <- vaultlet_token("https://storage.azure.com/.default")
stopifnot(startsWith(reveal(token), "eyJ"), !any(grepl("eyJ", c(format(token), capture.output(str(token))))))
stopifnot(properties(token)$resource == "https://storage.azure.com", properties(token)$expires_on > Sys.time())
close(token)

# Listing.
stopifnot(vapply(vaultlet_list("my-key-vault"), `[[`, "", "name") == "db-password")
stopifnot(length(vaultlet_versions(reference)) == 1)

# Errors have a class for each kind, and members for the details.
e <- tryCatch(vaultlet_get(nowhere), vaultlet_not_found = identity)
stopifnot(inherits(e, "vaultlet_error"), inherits(e, "error"), e$id == "secret-not-found", e$status == 404)
stopifnot(nzchar(e$help), endsWith(conditionMessage(e), "(secret-not-found)"), is.na(e$retry_after))
failing <- function(id, expression) stopifnot(identical(tryCatch(expression, vaultlet_error = function(e) e$id), id))
failing("reference-malformed", vaultlet_get("akv://"))
failing("secret-not-json", vaultlet_get_many(c(reference, paste0(reference, "?json=/user"))))
failing("setting-malformed", vaultlet_open(timeout = "soon"))
silent <- vaultlet_open(variables = c(MSI_ENDPOINT = Sys.getenv("SILENT"), MSI_SECRET = "x"))
failing("timeout", vaultlet_token(vaultlet = silent, timeout = 0.05))
unconfigured <- vaultlet_open(exclude = c("azureml-obo", "managed-identity"), variables = c(AZURE_TOKEN_CREDENTIALS = ""))
e <- tryCatch(vaultlet_token(vaultlet = unconfigured), vaultlet_not_configured = identity)
stopifnot(e$id == "no-identity", length(e$attempts) > 0, e$attempts[[1]]$outcome %in% c("not-configured", "skipped"))
close(unconfigured)
stopifnot(grepl("closed", tryCatch(vaultlet_get(reference, unconfigured), error = conditionMessage), fixed = TRUE))

# In forked processes, as mclapply starts them.
values <- parallel::mclapply(1:4, function(i) identical(reveal(vaultlet_get(reference)), expected), mc.cores = 2)
stopifnot(identical(unlist(values), rep(TRUE, 4)))

# Many secrets and handles.
for (i in 1:100) close(vaultlet_get(reference))
for (i in 1:20) close(vaultlet_open())
invisible(gc())
cat("done\n")
