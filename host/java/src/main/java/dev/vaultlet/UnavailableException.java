package dev.vaultlet;

/** A server cannot be reached or answers nonsense: try again in minutes. */
public final class UnavailableException extends VaultletException {
    private static final long serialVersionUID = 1;

    UnavailableException(Details details) {
        super(details);
    }
}
