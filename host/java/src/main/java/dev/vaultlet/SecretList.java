package dev.vaultlet;

import java.util.AbstractList;
import java.util.RandomAccess;

/** Secrets in the order of their references; closing it closes them all. Unmodifiable. */
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

    /** Scrubs the values. */
    @Override
    public void close() {
        for (Secret secret : secrets) {
            secret.close();
        }
    }
}
