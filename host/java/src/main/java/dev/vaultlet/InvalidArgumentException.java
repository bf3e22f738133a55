package dev.vaultlet;

/** Malformed reference, name or pointer: correct it. */
public final class InvalidArgumentException extends VaultletException {
    private static final long serialVersionUID = 1;

    InvalidArgumentException(Details details) {
        super(details);
    }
}
