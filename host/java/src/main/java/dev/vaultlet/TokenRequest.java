package dev.vaultlet;

/**
 * A request for a token. Immutable; start with {@link #KEY_VAULT}.
 *
 * @param resource a resource or a scope; null is the Key Vault of the cloud
 * @param tenant a tenant other than the credential's own, or null
 * @param claims the JSON of a claims challenge, or null; with claims the cache is not used
 */
public record TokenRequest(String resource, String tenant, String claims) {
    /** A request for a Key Vault token. */
    public static final TokenRequest KEY_VAULT = new TokenRequest(null, null, null);

    /** Returns a request for a resource or scope: {@code https://storage.azure.com}. */
    public static TokenRequest of(String resource) {
        return new TokenRequest(resource, null, null);
    }

    /** Returns this request with a tenant. */
    public TokenRequest withTenant(String tenant) {
        return new TokenRequest(resource, tenant, claims);
    }

    /** Returns this request with claims. */
    public TokenRequest withClaims(String claims) {
        return new TokenRequest(resource, tenant, claims);
    }
}
