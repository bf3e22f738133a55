package dev.vaultlet;

import java.lang.ref.Cleaner;

/**
 * An access token. It is in memory outside the Java heap, and is scrubbed by {@link #close}, or
 * after this object has become unreachable.
 *
 * <p>{@link #toString}, logs and serialisers see the token's resource and never the token. The
 * object cannot be serialised. Any thread may use it.
 */
public final class Token implements AutoCloseable {
    private final transient Plaintext value;
    private final transient Cleaner.Cleanable cleanable;
    private final transient Identity identity;

    Token(Plaintext value, Identity identity) {
        this.value = value;
        this.identity = identity;
        this.cleanable = value.ownedBy(this);
    }

    /**
     * Returns the token as a string, which stays in the Java heap until it is collected, or longer.
     *
     * @throws IllegalStateException if the token is closed
     */
    public String reveal() {
        return value.text();
    }

    /**
     * Returns the token in an array, which the caller should wipe.
     *
     * @throws IllegalStateException if the token is closed
     */
    public char[] revealChars() {
        return value.chars();
    }

    /** Returns the token's identity, source and lifetime, also after it was closed. */
    public Identity identity() {
        return identity;
    }

    /** Returns the token's resource: {@code token for https://vault.azure.net}. */
    @Override
    public String toString() {
        return "token for " + identity.resource();
    }

    /** Scrubs the token. */
    @Override
    public void close() {
        cleanable.clean();
    }
}
