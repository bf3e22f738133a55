package dev.vaultlet;

/** The service asked for more patience than the caller has; see {@link #retryAfter}. */
public final class ThrottledException extends VaultletException {
    private static final long serialVersionUID = 1;

    ThrottledException(Details details) {
        super(details);
    }
}
