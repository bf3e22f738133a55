package dev.vaultlet;

import java.time.Instant;
import java.util.Map;

/**
 * The properties of one version of a secret, without the value. Unknown members are null.
 *
 * @param vault the vault's host, with its port if it is not 443
 * @param name the secret's name
 * @param version the version's id
 * @param contentType the content type that the secret's author set
 * @param enabled whether the version can be read
 * @param created when the version was created
 * @param updated when the version was last changed
 * @param notBefore the start of the intended period of use, which the vault does not enforce
 * @param expires the end of the intended period of use, which the vault does not enforce
 * @param recoveryLevel what deleting the secret would mean: {@code Recoverable+Purgeable}
 * @param recoverableDays for how many days a deleted secret can be recovered
 * @param managed whether the secret belongs to a certificate
 * @param kid the id of the certificate's key
 * @param tags the tags, sorted by name
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
    /** Returns the reference of this version: {@code akv://<vault>/<name>/<version>}. */
    public String reference() {
        String reference = "akv://" + vault + "/" + name;
        return version == null ? reference : reference + "/" + version;
    }
}
