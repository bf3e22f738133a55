package dev.vaultlet;

/** The time that was allowed ran out. */
public final class CallTimeoutException extends VaultletException {
    private static final long serialVersionUID = 1;

    CallTimeoutException(Details details) {
        super(details);
    }
}
