package dev.vaultlet;

/** A defect of vaultlet: report it with its message. */
public final class InternalException extends VaultletException {
    private static final long serialVersionUID = 1;

    InternalException(Details details) {
        super(details);
    }
}
