package dev.vaultlet;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;

/**
 * Settings of a {@link Vaultlet}. A setting that is not made here is taken from the environment
 * variable of the same name. {@link #open} rejects malformed values.
 */
public final class VaultletBuilder {
    /** A setting by its name, or an environment variable. */
    private record Setting(boolean isVariable, String name, String value) {
        /** The name alone, because the value of a variable may be a credential. */
        @Override
        public String toString() {
            return name;
        }
    }

    private final List<Setting> settings = new ArrayList<>();

    private Executor executor;

    VaultletBuilder() {}

    /** Sets the sources of credentials to ask, in order; the default is {@code auto}. */
    public VaultletBuilder identity(String... labels) {
        return set("identity", String.join(",", labels));
    }

    /** Sets the sources of credentials that are not asked. */
    public VaultletBuilder exclude(String... labels) {
        return set("exclude", String.join(",", labels));
    }

    /** Selects the user-assigned managed identity with this client id. */
    public VaultletBuilder clientId(String clientId) {
        return set("client-id", clientId);
    }

    /** Selects the user-assigned managed identity with this object id. */
    public VaultletBuilder objectId(String objectId) {
        return set("object-id", objectId);
    }

    /** Selects the user-assigned managed identity with this resource id. */
    public VaultletBuilder resourceId(String resourceId) {
        return set("resource-id", resourceId);
    }

    /** Allows tokens of these tenants, besides the credential's own; {@code *} allows any. */
    public VaultletBuilder additionalTenants(String... tenants) {
        return set("additional-tenants", String.join(";", tenants));
    }

    /** Sets the file with the user's token, for the source {@code on-behalf-of}. */
    public VaultletBuilder userAssertionFile(Path file) {
        return set("user-assertion-file", file.toString());
    }

    /** Sets the cloud: {@code public}, {@code china} or {@code usgov}. */
    public VaultletBuilder cloud(String cloud) {
        return set("cloud", cloud);
    }

    /** Sets how many calls run at once; further calls wait. */
    public VaultletBuilder concurrency(int calls) {
        return set("concurrency", Integer.toString(calls));
    }

    /** Sets the timeout of calls without one of their own; the default is 120 seconds. */
    public VaultletBuilder timeout(Duration timeout) {
        return set("timeout", seconds(timeout));
    }

    /** Trusts the certificates of a PEM file besides the built-in roots. May be repeated. */
    public VaultletBuilder caFile(Path file) {
        return set("ca-file", file.toString());
    }

    /**
     * Connects to another address for a host: {@code HOST:PORT:ADDRESS[:PORT]}. The certificate is
     * still checked against the host name. May be repeated.
     */
    public VaultletBuilder resolve(String rule) {
        return set("resolve", rule);
    }

    /** Sets whether {@code http://} is accepted for loopback addresses. */
    public VaultletBuilder allowHttpLoopback(boolean allowed) {
        return set("allow-http-loopback", Boolean.toString(allowed));
    }

    /** Accepts {@code http://} for an identity endpoint at these hosts of a private network. */
    public VaultletBuilder allowHttpIdentity(String... hosts) {
        return set("allow-http-identity", String.join(",", hosts));
    }

    /** Sets the file of a policy, which says what may be read and where it is written down. */
    public VaultletBuilder policy(Path file) {
        return set("policy", file.toString());
    }

    /**
     * Sets the agent that secrets come from: {@code unix:PATH}, or {@code http://127.0.0.1:PORT} with
     * {@link #agentTokenFile}. An empty text means none.
     */
    public VaultletBuilder agent(String place) {
        return set("agent", place);
    }

    /** Sets the file with the token of an agent on a port. It is read again each time it is needed. */
    public VaultletBuilder agentTokenFile(Path file) {
        return set("agent-token-file", file.toString());
    }

    /**
     * Sets what is done when the agent is not there: {@code none}, the default, which is an error, or
     * {@code direct}, which asks the vault.
     */
    public VaultletBuilder agentFallback(String fallback) {
        return set("agent-fallback", fallback);
    }

    /** Replaces the whole environment of the process by these variables. */
    public VaultletBuilder variables(Map<String, String> variables) {
        // An empty value is unset. It makes the replacement happen even if the map is empty.
        settings.add(new Setting(true, "VAULTLET_CLOUD", ""));
        for (Map.Entry<String, String> variable : variables.entrySet()) {
            settings.add(new Setting(true, variable.getKey(), variable.getValue()));
        }
        return this;
    }

    /**
     * Sets the executor that completes futures and runs their dependent stages; the default is the
     * common pool. An executor that runs tasks on the submitting thread runs them on a thread of
     * the library, where a task that blocks delays other calls and a blocking call is refused.
     */
    public VaultletBuilder executor(Executor executor) {
        this.executor = executor;
        return this;
    }

    /**
     * Opens an instance. Uses no network.
     *
     * @throws VaultletException if a setting is malformed or contradicts another
     * @throws UnsatisfiedLinkError if there is no native library for this system, or no JNA
     */
    public Vaultlet open() {
        Executor completing = executor == null ? ForkJoinPool.commonPool() : executor;
        try (Arguments arguments = new Arguments()) {
            long options = options(arguments);
            try {
                long out = arguments.out();
                StructReader.check(Abi.vaultlet_open(Abi.VERSION, options, out));
                return new Vaultlet(Arguments.valueOf(out), completing);
            } finally {
                if (options != 0) {
                    Abi.vaultlet_options_free(options);
                }
            }
        }
    }

    /** Returns the library's options; 0 if there are no settings. */
    private long options(Arguments arguments) {
        if (settings.isEmpty()) {
            return 0;
        }
        long options = Abi.vaultlet_options_new();
        try {
            for (Setting setting : settings) {
                long name = arguments.text(setting.name());
                long value = arguments.text(setting.value());
                StructReader.check(setting.isVariable()
                        ? Abi.vaultlet_options_variable(options, name, value)
                        : Abi.vaultlet_options_set(options, name, value));
            }
            return options;
        } catch (RuntimeException refused) {
            Abi.vaultlet_options_free(options);
            throw refused;
        }
    }

    private VaultletBuilder set(String name, String value) {
        settings.add(new Setting(false, name, value));
        return this;
    }

    private static String seconds(Duration timeout) {
        int millis = timeout.toMillisPart();
        String seconds = Long.toString(timeout.toSeconds());
        return millis == 0 ? seconds : seconds + "." + String.valueOf(1000 + millis).substring(1);
    }
}
