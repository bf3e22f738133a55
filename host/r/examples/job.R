library(vaultlet)

password <- tryCatch(
  vaultlet_get("akv://my-key-vault/db-password"),
  vaultlet_error = function(e) {
    message(conditionMessage(e))
    quit(status = 1)
  }
)
cat(reveal(password))
