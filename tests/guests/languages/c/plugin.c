/* A plugin in C, which reads a secret by its reference and never sees a credential. */

#include "plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes a text that the host frees, by a function of the bindings. */
static void set_text(plugin_string_t *result, const char *format, plugin_string_t a, plugin_string_t b,
                plugin_string_t c) {
  char line[1024];
  snprintf(line, sizeof line, format, (int)a.len, (const char *)a.ptr, (int)b.len,
           (const char *)b.ptr, (int)c.len, (const char *)c.ptr);
  plugin_string_dup(result, line);
}

bool exports_plugin_describe(plugin_string_t *reference, plugin_string_t *result, plugin_string_t *error_text) {
  vaultlet_keyvault_secrets_own_secret_t secret;
  vaultlet_keyvault_secrets_error_t error;
  bool got = vaultlet_keyvault_secrets_get(reference, NULL, &secret, &error);
  plugin_string_free(reference);
  if (!got) {
    set_text(error_text, "%.*s; %.*s (%.*s)", error.message, error.help, error.id);
    vaultlet_keyvault_secrets_error_free(&error);
    return false;
  }
  vaultlet_keyvault_secrets_properties_t properties;
  plugin_string_t value, length;
  char digits[32];
  vaultlet_keyvault_secrets_borrow_secret_t borrowed = vaultlet_keyvault_secrets_borrow_secret(secret);
  vaultlet_keyvault_secrets_method_secret_properties(borrowed, &properties);
  vaultlet_keyvault_secrets_method_secret_reveal(borrowed, &value);
  snprintf(digits, sizeof digits, "%zu", value.len);
  plugin_string_set(&length, digits);
  set_text(result, "%.*s of %.*s has %.*s bytes", properties.name, properties.vault, length);
  explicit_bzero(value.ptr, value.len);
  plugin_string_free(&value);
  vaultlet_keyvault_secrets_properties_free(&properties);
  vaultlet_keyvault_secrets_secret_drop_own(secret);
  return true;
}
