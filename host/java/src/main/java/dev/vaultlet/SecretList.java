package dev.vaultlet;

import java.util.AbstractList;
import java.util.RandomAccess;

/** Several secrets in the order of their references. Unmodifiable; closing it closes them all. */
public final class SecretList extends AbstractList<Secret> implements AutoCloseable, RandomAccess {
    private final Secret[] secrets;

    SecretList(Secret[] secrets) {
        this.secrets = secrets;
    }

    @Override
    public Secret get(int index) {
        return secrets[index];
    }

    @Override
    public int size() {
        return secrets.length;
    }

    /** Closes all secrets, which scrubs their values. */
    @Override
    public void close() {
        for (Secret secret : secrets) {
            secret.close();
        }
    }
}
