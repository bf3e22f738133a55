package dev.vaultlet;

import java.lang.ref.Cleaner;

/**
 * One version of a secret, with its value. The value lies in memory outside of Java's and is
 * scrubbed by {@link #close}, or when this object was forgotten and is collected.
 *
 * <p>It shows its reference and never its value: in {@link #toString}, in a log, to a serialiser.
 * It cannot be serialised. Two secrets are equal when they are the same object. For any thread.
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
     * The value, as a string, which stays in Java's memory until it is collected, and longer.
     *
     * @throws IllegalStateException if the secret is closed
     */
    public String reveal() {
        return value.text();
    }

    /**
     * The value, in an array that is yours to wipe.
     *
     * @throws IllegalStateException if the secret is closed
     */
    public char[] revealChars() {
        return value.chars();
    }

    /**
     * The value in UTF-8, in an array that is yours to wipe.
     *
     * @throws IllegalStateException if the secret is closed
     */
    public byte[] revealBytes() {
        return value.bytes();
    }

    /** All but the value; also of a closed secret. */
    public SecretProperties properties() {
        return properties;
    }

    /** Its reference: {@code akv://<vault>/<name>/<version>}. */
    @Override
    public String toString() {
        return properties.reference();
    }

    /** Scrubs the value. One of a {@link SecretList} is scrubbed when all of them are closed. */
    @Override
    public void close() {
        cleanable.clean();
    }
}
