package dev.vaultlet;

/** The secret's state forbids it now. */
public final class ConflictException extends VaultletException {
    private static final long serialVersionUID = 1;

    ConflictException(Details details) {
        super(details);
    }
}
