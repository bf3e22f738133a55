package dev.vaultlet;

/** No source of credentials is configured; {@link #attempts} has what was looked for. */
public final class NotConfiguredException extends VaultletException {
    private static final long serialVersionUID = 1;

    NotConfiguredException(Details details) {
        super(details);
    }
}
