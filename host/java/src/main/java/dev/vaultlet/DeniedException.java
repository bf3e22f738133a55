package dev.vaultlet;

/** The identity may not do this, or a policy of vaultlet's forbids it. */
public final class DeniedException extends VaultletException {
    private static final long serialVersionUID = 1;

    DeniedException(Details details) {
        super(details);
    }
}
