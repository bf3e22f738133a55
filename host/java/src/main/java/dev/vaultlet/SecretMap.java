package dev.vaultlet;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Secrets by the names of their variables. Unmodifiable; closing it closes them all. */
public final class SecretMap extends AbstractMap<String, Secret> implements AutoCloseable {
    private final Map<String, Secret> secrets;

    SecretMap(List<String> names, Secret[] secrets) {
        Map<String, Secret> byName = new LinkedHashMap<>();
        for (int at = 0; at < secrets.length; at++) {
            byName.put(names.get(at), secrets[at]);
        }
        this.secrets = Collections.unmodifiableMap(byName);
    }

    @Override
    public Secret get(Object name) {
        return secrets.get(name);
    }

    @Override
    public boolean containsKey(Object name) {
        return secrets.containsKey(name);
    }

    @Override
    public Set<Entry<String, Secret>> entrySet() {
        return secrets.entrySet();
    }

    /** Closes all secrets, which scrubs their values. */
    @Override
    public void close() {
        for (Secret secret : secrets.values()) {
            secret.close();
        }
    }
}
