package dev.vaultlet;

/** Settings contradict each other, or a security check refused. */
public final class ConfigurationException extends VaultletException {
    private static final long serialVersionUID = 1;

    ConfigurationException(Details details) {
        super(details);
    }
}
