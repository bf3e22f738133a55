package dev.vaultlet;

import java.time.Instant;
import java.util.Map;

/**
 * All of a version of a secret but its value; null where the vault does not say.
 *
 * @param vault the vault's host, with its port if it is not 443
 * @param name the secret's name
 * @param version the version's id
 * @param contentType what the value is, by whoever stored it
 * @param enabled whether it can be read
 * @param created when this version was made
 * @param updated when it was last changed
 * @param notBefore from when on it is meant to be used
 * @param expires until when it is meant to be used
 * @param recoveryLevel what becomes of it when it is deleted
 * @param recoverableDays how many days it can be recovered after that
 * @param managed whether it belongs to a certificate
 * @param kid the key of that certificate
 * @param tags sorted by name
 */
public record SecretProperties(
        String vault,
        String name,
        String version,
        String contentType,
        Boolean enabled,
        Instant created,
        Instant updated,
        Instant notBefore,
        Instant expires,
        String recoveryLevel,
        Integer recoverableDays,
        Boolean managed,
        String kid,
        Map<String, String> tags) {
    /** {@code akv://<vault>/<name>/<version>}. */
    public String reference() {
        String reference = "akv://" + vault + "/" + name;
        return version == null ? reference : reference + "/" + version;
    }
}
