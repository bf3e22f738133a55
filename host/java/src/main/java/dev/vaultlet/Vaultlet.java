package dev.vaultlet;

import java.lang.ref.Cleaner;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Azure Key Vault secrets for a training job.
 *
 * <pre>{@code
 * try (Vaultlet vaultlet = Vaultlet.open();
 *         Secret password = vaultlet.get("akv://my-key-vault/db-password")) {
 *     connect("db.internal", password.reveal());
 * }
 * }</pre>
 *
 * <p>One serves any number of threads, also virtual ones: it keeps connections and tokens. What
 * fails throws a {@link VaultletException}; a null, a text with a NUL in it or a handle that is
 * closed throws as elsewhere in Java.
 *
 * <p>A thread that waits can be interrupted: its call ends, {@link CancelledException} is thrown
 * and the thread stays marked as interrupted. A future that is cancelled (or completed, or timed
 * out by {@link CompletableFuture#orTimeout}) ends its call, too; one that depends on it does not.
 * What depends on a future runs on the executor of {@link VaultletBuilder#executor}.
 */
public final class Vaultlet implements AutoCloseable {
    private final Abi abi;
    private final Handle handle;
    private final Executor executor;
    private final Cleaner.Cleanable cleanable;

    Vaultlet(Abi abi, long address, Executor executor) {
        this.abi = abi;
        this.handle = new Handle(abi, address);
        this.executor = executor;
        this.cleanable = Plaintext.cleanable(this, handle);
    }

    /**
     * Opens one as the environment says, which is enough in a job. No network.
     *
     * @throws ConfigurationException if the environment contradicts itself
     * @throws UnsatisfiedLinkError if there is no native library for this system
     */
    public static Vaultlet open() {
        return builder().open();
    }

    /** Opens one otherwise. */
    public static VaultletBuilder builder() {
        return new VaultletBuilder();
    }

    /** The version of the native library: {@code 0.1.0}. */
    public static String version() {
        Abi abi = Library.abi();
        return abi.text(abi.vaultlet_version());
    }

    /**
     * Gets a secret.
     *
     * @param reference {@code akv://<vault>/<name>[/<version>]}, or another form of the README
     */
    public Secret get(String reference) {
        return get(reference, CallOptions.NONE);
    }

    /** Gets a secret; see {@link #get(String)}. */
    public Secret get(String reference, CallOptions options) {
        return this.<Secret>text(Call.Ask.GET, required(reference), options, null).await();
    }

    /** Gets a secret; see {@link #get(String)}. */
    public CompletableFuture<Secret> getAsync(String reference) {
        return getAsync(reference, CallOptions.NONE);
    }

    /** Gets a secret; see {@link #get(String)}. */
    public CompletableFuture<Secret> getAsync(String reference, CallOptions options) {
        return text(Call.Ask.GET, required(reference), options, executor);
    }

    /** Gets secrets at once, in the order of their references; all or none. */
    public SecretList getMany(String... references) {
        return getMany(Arrays.asList(references), CallOptions.NONE);
    }

    /** Gets secrets at once, in the order of their references; all or none. */
    public SecretList getMany(Collection<String> references, CallOptions options) {
        return many(references, options, null).await();
    }

    /** Gets secrets at once, in the order of their references; all or none. */
    public CompletableFuture<SecretList> getManyAsync(String... references) {
        return getManyAsync(Arrays.asList(references), CallOptions.NONE);
    }

    /** Gets secrets at once, in the order of their references; all or none. */
    public CompletableFuture<SecretList> getManyAsync(
            Collection<String> references, CallOptions options) {
        return many(references, options, executor);
    }

    /**
     * Lists the secrets of a vault, without their values.
     *
     * @param vault its name, its host or {@code akv://<vault>}
     */
    public List<SecretProperties> list(String vault) {
        return list(vault, CallOptions.NONE);
    }

    /** Lists the secrets of a vault; see {@link #list(String)}. */
    public List<SecretProperties> list(String vault, CallOptions options) {
        return this.<List<SecretProperties>>text(
                Call.Ask.LIST, required(vault), options, null).await();
    }

    /** Lists the secrets of a vault; see {@link #list(String)}. */
    public CompletableFuture<List<SecretProperties>> listAsync(String vault, CallOptions options) {
        return text(Call.Ask.LIST, required(vault), options, executor);
    }

    /**
     * Lists the versions of a secret, without their values.
     *
     * @param reference of the secret: {@code akv://<vault>/<name>}
     */
    public List<SecretProperties> versions(String reference) {
        return versions(reference, CallOptions.NONE);
    }

    /** Lists the versions of a secret; see {@link #versions(String)}. */
    public List<SecretProperties> versions(String reference, CallOptions options) {
        return this.<List<SecretProperties>>text(
                Call.Ask.VERSIONS, required(reference), options, null).await();
    }

    /** Lists the versions of a secret; see {@link #versions(String)}. */
    public CompletableFuture<List<SecretProperties>> versionsAsync(
            String reference, CallOptions options) {
        return text(Call.Ask.VERSIONS, required(reference), options, executor);
    }

    /** Gets an access token for Key Vault, for programs that call Azure themselves. */
    public Token token() {
        return token(TokenRequest.KEY_VAULT, CallOptions.NONE);
    }

    /** Gets an access token, from the cache if it has one. */
    public Token token(TokenRequest request) {
        return token(request, CallOptions.NONE);
    }

    /** Gets an access token, from the cache if it has one. */
    public Token token(TokenRequest request, CallOptions options) {
        return this.<Token>token(Call.Ask.TOKEN, request, options, null).await();
    }

    /** Gets an access token, from the cache if it has one. */
    public CompletableFuture<Token> tokenAsync(TokenRequest request, CallOptions options) {
        return token(Call.Ask.TOKEN, request, options, executor);
    }

    /** Says whose token would be had, by getting one: the identity to grant a role to. */
    public Identity whoami() {
        return whoami(TokenRequest.KEY_VAULT, CallOptions.NONE);
    }

    /** Says whose token would be had, by getting one: the identity to grant a role to. */
    public Identity whoami(TokenRequest request, CallOptions options) {
        return this.<Identity>token(Call.Ask.WHOAMI, request, options, null).await();
    }

    /** Says whose token would be had, by getting one: the identity to grant a role to. */
    public CompletableFuture<Identity> whoamiAsync(TokenRequest request, CallOptions options) {
        return token(Call.Ask.WHOAMI, request, options, executor);
    }

    /** What getting a token would read and reach; see {@link #plan(String)}. */
    public String plan() {
        return plan(null);
    }

    /**
     * What getting this secret would read and reach, as JSON with the members {@code vault}, {@code
     * variables}, {@code servers}, {@code files}, {@code keys} and {@code programs}. No network.
     *
     * @param reference of the secret, or null for a token alone
     */
    public String plan(String reference) {
        try (Arguments arguments = new Arguments(abi)) {
            long text = arguments.text(reference);
            long out = arguments.out();
            long address = handle.enter();
            try {
                VaultletBuilder.check(abi, abi.vaultlet_plan(address, text, 0, out));
            } finally {
                handle.leave();
            }
            long json = arguments.at(out);
            String plan = abi.text(json);
            abi.vaultlet_text_free(json);
            return plan;
        }
    }

    /** Closes it. Calls that run go on to their end; new ones throw IllegalStateException. */
    @Override
    public void close() {
        cleanable.clean();
    }

    private static String required(String text) {
        if (text == null) {
            throw new NullPointerException("a reference or a vault is needed");
        }
        return text;
    }

    private <T> Call<T> text(Call.Ask ask, String text, CallOptions options, Executor executor) {
        try (Arguments arguments = new Arguments(abi)) {
            return start(ask, arguments, arguments.text(text), 0, options, executor);
        }
    }

    private Call<SecretList> many(
            Collection<String> references, CallOptions options, Executor executor) {
        List<String> all = List.copyOf(references);
        try (Arguments arguments = new Arguments(abi)) {
            long first = arguments.texts(all);
            return start(Call.Ask.GET_MANY, arguments, first, all.size(), options, executor);
        }
    }

    private <T> Call<T> token(
            Call.Ask ask, TokenRequest request, CallOptions options, Executor executor) {
        try (Arguments arguments = new Arguments(abi)) {
            return start(ask, arguments, arguments.tokenRequest(request), 0, options, executor);
        }
    }

    private <T> Call<T> start(
            Call.Ask ask,
            Arguments arguments,
            long first,
            int count,
            CallOptions options,
            Executor executor) {
        long address = handle.enter();
        try {
            Call<T> call = new Call<>(abi, ask, options, executor);
            return call.start(arguments, address, first, count, options);
        } finally {
            handle.leave();
        }
    }
}
