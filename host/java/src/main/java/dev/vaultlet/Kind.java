package dev.vaultlet;

/** What a caller should do next about a {@link VaultletException}. */
public enum Kind {
    /** The arguments contradict each other: correct the program. */
    USAGE("usage"),
    /** Malformed reference, name or pointer: correct it. */
    INVALID_ARGUMENT("invalid-argument"),
    /** No such secret or version. */
    NOT_FOUND("not-found"),
    /** The secret is disabled. */
    DISABLED("disabled"),
    /** A server cannot be reached or answers nonsense: try again in minutes. */
    UNAVAILABLE("unavailable"),
    /** The time that was allowed ran out, or the call was cancelled. */
    TIMEOUT("timeout"),
    /** A defect of vaultlet. */
    INTERNAL("internal"),
    /** The secret's state forbids it now. */
    CONFLICT("conflict"),
    /** The service asked for more patience than the caller has. */
    THROTTLED("throttled"),
    /** The identity may not do this, or a policy of vaultlet's forbids it. */
    DENIED("denied"),
    /** Settings contradict each other, or a security check refused. */
    CONFIGURATION("configuration"),
    /** No source of credentials is configured. */
    NOT_CONFIGURED("not-configured"),
    /** An identity was found and refused. */
    UNAUTHENTICATED("unauthenticated"),
    /** One that this version of the package does not know. */
    UNKNOWN("unknown");

    private static final Kind[] ALL = values();

    private final String label;

    Kind(String label) {
        this.label = label;
    }

    /** By its number in the C ABI. */
    static Kind of(int number) {
        return number > 0 && number < ALL.length ? ALL[number - 1] : UNKNOWN;
    }

    /** The stable name, as on the command line: {@code not-found}. */
    @Override
    public String toString() {
        return label;
    }
}
