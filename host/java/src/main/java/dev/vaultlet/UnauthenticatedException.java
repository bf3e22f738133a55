package dev.vaultlet;

/** An identity was found and refused. */
public final class UnauthenticatedException extends VaultletException {
    private static final long serialVersionUID = 1;

    UnauthenticatedException(Details details) {
        super(details);
    }
}
