package dev.vaultlet;

/** The kind of a {@link VaultletException}, which says what to do next. */
public enum Kind {
    /** The arguments contradict each other: correct the program. */
    USAGE("usage"),
    /** A reference, name or pointer is malformed: correct it. */
    INVALID_ARGUMENT("invalid-argument"),
    /** The vault has no such secret, or no such version of the secret. */
    NOT_FOUND("not-found"),
    /** The secret exists and is disabled. */
    DISABLED("disabled"),
    /** A server cannot be reached, or its response makes no sense: try again in a few minutes. */
    UNAVAILABLE("unavailable"),
    /** The call did not end within its timeout, or was cancelled. */
    TIMEOUT("timeout"),
    /** A defect of vaultlet: report it with its message. */
    INTERNAL("internal"),
    /** The secret's state does not allow the call at this moment. */
    CONFLICT("conflict"),
    /**
     * The service is throttling requests, for longer than the call may take; see {@link
     * VaultletException#retryAfter}.
     */
    THROTTLED("throttled"),
    /** The identity lacks a permission, or a policy of vaultlet forbids the call. */
    DENIED("denied"),
    /** Settings are malformed or contradict each other, or a security check failed. */
    CONFIGURATION("configuration"),
    /**
     * No source of credentials is configured; {@link VaultletException#attempts} lists the sources
     * that were tried.
     */
    NOT_CONFIGURED("not-configured"),
    /** An identity was found, and its credentials were rejected. */
    UNAUTHENTICATED("unauthenticated"),
    /** A kind that this version of the package does not know. */
    UNKNOWN("unknown");

    private static final Kind[] ALL = values();

    private final String label;

    Kind(String label) {
        this.label = label;
    }

    /** Finds a kind by its number in the C ABI, which counts from 1. */
    static Kind numbered(int number) {
        return number > 0 && number < ALL.length ? ALL[number - 1] : UNKNOWN;
    }

    /** The stable name, as on the command line: {@code not-found}. */
    @Override
    public String toString() {
        return label;
    }
}
