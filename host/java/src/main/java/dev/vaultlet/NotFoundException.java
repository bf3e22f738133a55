package dev.vaultlet;

/** The vault has no such secret, or no such version of it. */
public final class NotFoundException extends VaultletException {
    private static final long serialVersionUID = 1;

    NotFoundException(Details details) {
        super(details);
    }
}
