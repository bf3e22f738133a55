package dev.vaultlet;

/** The arguments contradict each other: correct the program. */
public final class UsageException extends VaultletException {
    private static final long serialVersionUID = 1;

    UsageException(Details details) {
        super(details);
    }
}
