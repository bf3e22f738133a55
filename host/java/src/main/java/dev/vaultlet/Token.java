package dev.vaultlet;

import java.lang.ref.Cleaner;

/**
 * An access token. It is kept as a {@link Secret} is, and shows nothing of itself but what it is
 * for.
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
     * The token, as a string, which stays in Java's memory until it is collected, and longer.
     *
     * @throws IllegalStateException if it is closed
     */
    public String reveal() {
        return value.text();
    }

    /**
     * The token, in an array that is yours to wipe.
     *
     * @throws IllegalStateException if it is closed
     */
    public char[] revealChars() {
        return value.chars();
    }

    /** Where it is from, what it is for and how long; also of a closed one. */
    public Identity identity() {
        return identity;
    }

    /** What it is for: {@code token for https://vault.azure.net}. */
    @Override
    public String toString() {
        return "token for " + identity.resource();
    }

    /** Scrubs it. */
    @Override
    public void close() {
        cleanable.clean();
    }
}
