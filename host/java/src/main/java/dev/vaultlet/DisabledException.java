package dev.vaultlet;

/** The secret is there and is disabled. */
public final class DisabledException extends VaultletException {
    private static final long serialVersionUID = 1;

    DisabledException(Details details) {
        super(details);
    }
}
