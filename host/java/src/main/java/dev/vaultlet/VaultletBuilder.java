package dev.vaultlet;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;

/**
 * How to open a {@link Vaultlet}. What is not said here is as the environment says; see README. A
 * malformed value is refused by {@link #open}.
 */
public final class VaultletBuilder {
    private static final String VARIABLE = "variable";

    /** Kind, name, value. */
    private final List<String[]> settings = new ArrayList<>();

    private Executor executor;

    VaultletBuilder() {}

    /** The sources of credentials to ask, in order; {@code auto} is the default. */
    public VaultletBuilder identity(String... labels) {
        return set("identity", String.join(",", labels));
    }

    /** Sources of credentials that are not asked. */
    public VaultletBuilder exclude(String... labels) {
        return set("exclude", String.join(",", labels));
    }

    /** The user-assigned identity with this client id. */
    public VaultletBuilder clientId(String clientId) {
        return set("client-id", clientId);
    }

    /** The user-assigned identity with this object id. */
    public VaultletBuilder objectId(String objectId) {
        return set("object-id", objectId);
    }

    /** The user-assigned identity with this resource id. */
    public VaultletBuilder resourceId(String resourceId) {
        return set("resource-id", resourceId);
    }

    /** Tenants that tokens may be asked for in besides the credential's own; {@code *} is any. */
    public VaultletBuilder additionalTenants(String... tenants) {
        return set("additional-tenants", String.join(";", tenants));
    }

    /** The file of a user's token, for the source {@code on-behalf-of}. */
    public VaultletBuilder userAssertionFile(Path file) {
        return set("user-assertion-file", file.toString());
    }

    /** {@code public}, {@code china} or {@code usgov}. */
    public VaultletBuilder cloud(String cloud) {
        return set("cloud", cloud);
    }

    /** How many calls run at once; the others wait their turn. */
    public VaultletBuilder concurrency(int calls) {
        return set("concurrency", Integer.toString(calls));
    }

    /** The limit of a call that has none of its own; 120 seconds if it is not said. */
    public VaultletBuilder timeout(Duration timeout) {
        return set("timeout", seconds(timeout));
    }

    /** A PEM file whose certificates are trusted besides the built-in roots. May be repeated. */
    public VaultletBuilder caFile(Path file) {
        return set("ca-file", file.toString());
    }

    /** {@code HOST:PORT:ADDR[:PORT]}: connect there for that authority. May be repeated. */
    public VaultletBuilder resolve(String rule) {
        return set("resolve", rule);
    }

    /** Whether {@code http://} is accepted on loopback. */
    public VaultletBuilder allowHttpLoopback(boolean allowed) {
        return set("allow-http-loopback", Boolean.toString(allowed));
    }

    /** Reads these variables instead of the process's environment, all of it. */
    public VaultletBuilder variables(Map<String, String> variables) {
        // Even if there are none; empty is unset.
        settings.add(new String[] {VARIABLE, "VAULTLET_CLOUD", ""});
        for (Map.Entry<String, String> variable : variables.entrySet()) {
            settings.add(new String[] {VARIABLE, variable.getKey(), variable.getValue()});
        }
        return this;
    }

    /**
     * Completes futures, and so runs what depends on them; the common pool if it is not said. It
     * may block, but for a while nothing else may be told. One that runs work in the thread that
     * gives it is on a thread of the library, where a call that waits is refused.
     */
    public VaultletBuilder executor(Executor executor) {
        this.executor = executor;
        return this;
    }

    /**
     * Opens it. No network.
     *
     * @throws VaultletException if a setting is malformed, or contradicts another
     * @throws UnsatisfiedLinkError if there is no native library for this system
     */
    public Vaultlet open() {
        Abi abi = Library.abi();
        Executor completing = executor == null ? ForkJoinPool.commonPool() : executor;
        try (Arguments arguments = new Arguments(abi)) {
            long options = options(abi, arguments);
            try {
                long out = arguments.out();
                check(abi, abi.vaultlet_open(Abi.VERSION, options, out));
                return new Vaultlet(abi, arguments.at(out), completing);
            } finally {
                if (options != 0) {
                    abi.vaultlet_options_free(options);
                }
            }
        }
    }

    /** 0 where nothing is said. */
    private long options(Abi abi, Arguments arguments) {
        if (settings.isEmpty()) {
            return 0;
        }
        long options = abi.vaultlet_options_new();
        try {
            for (String[] setting : settings) {
                long name = arguments.text(setting[1]);
                long value = arguments.text(setting[2]);
                check(abi, setting[0] == VARIABLE
                        ? abi.vaultlet_options_variable(options, name, value)
                        : abi.vaultlet_options_set(options, name, value));
            }
            return options;
        } catch (RuntimeException refused) {
            abi.vaultlet_options_free(options);
            throw refused;
        }
    }

    /** Throws the error, if there is one. */
    static void check(Abi abi, long error) {
        if (error == 0) {
            return;
        }
        VaultletException failed = Layouts.error(abi, error);
        abi.vaultlet_error_free(error);
        throw failed;
    }

    private VaultletBuilder set(String name, String value) {
        settings.add(new String[] {"option", name, value});
        return this;
    }

    private static String seconds(Duration timeout) {
        int millis = timeout.toMillisPart();
        String seconds = Long.toString(timeout.toSeconds());
        return millis == 0 ? seconds : seconds + "." + String.valueOf(1000 + millis).substring(1);
    }
}
