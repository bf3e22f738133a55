package dev.vaultlet;

import java.lang.ref.Cleaner;

/**
 * One version of a secret, with its value. The value is in memory outside the Java heap, and is
 * scrubbed by {@link #close}, or after this object has become unreachable.
 *
 * <p>{@link #toString}, logs and serialisers see the reference and never the value. The object
 * cannot be serialised. Equality is identity. Any thread may use it.
 */
public final class Secret implements AutoCloseable {
    private final transient Plaintext value;
    private final transient Cleaner.Cleanable cleanable;
    private final transient SecretProperties properties;

    Secret(Plaintext value, SecretProperties properties) {
        this.value = value;
        this.properties = properties;
        this.cleanable = value.ownedBy(this);
    }

    /**
     * Returns the value as a string, which stays in the Java heap until it is collected, or longer.
     *
     * @throws IllegalStateException if the secret is closed
     */
    public String reveal() {
        return value.text();
    }

    /**
     * Returns the value in an array, which the caller should wipe.
     *
     * @throws IllegalStateException if the secret is closed
     */
    public char[] revealChars() {
        return value.chars();
    }

    /**
     * Returns the value in UTF-8 in an array, which the caller should wipe.
     *
     * @throws IllegalStateException if the secret is closed
     */
    public byte[] revealBytes() {
        return value.bytes();
    }

    /** Returns the properties, also after the secret was closed. */
    public SecretProperties properties() {
        return properties;
    }

    /** Returns the reference: {@code akv://<vault>/<name>/<version>}. */
    @Override
    public String toString() {
        return properties.reference();
    }

    /** Scrubs the value; in a {@link SecretList}, when all secrets of the list are closed. */
    @Override
    public void close() {
        cleanable.clean();
    }
}
