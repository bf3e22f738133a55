package dev.vaultlet;

/**
 * What a token is for. Immutable; start with {@link #KEY_VAULT}.
 *
 * @param resource a resource or a scope; null is the cloud's Key Vault
 * @param tenant a tenant other than the credential's own, or null
 * @param claims JSON of a claims challenge, or null; such a token never comes from the cache
 */
public record TokenRequest(String resource, String tenant, String claims) {
    /** A token for Key Vault. */
    public static final TokenRequest KEY_VAULT = new TokenRequest(null, null, null);

    /** A token for this resource or scope: {@code https://storage.azure.com}. */
    public static TokenRequest of(String resource) {
        return new TokenRequest(resource, null, null);
    }

    /** The same, in this tenant. */
    public TokenRequest withTenant(String tenant) {
        return new TokenRequest(resource, tenant, claims);
    }

    /** The same, with these claims. */
    public TokenRequest withClaims(String claims) {
        return new TokenRequest(resource, tenant, claims);
    }
}
