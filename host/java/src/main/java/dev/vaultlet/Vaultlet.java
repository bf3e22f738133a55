package dev.vaultlet;

import java.lang.ref.Cleaner;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
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
 * <p>An instance keeps connections and tokens, and serves any number of threads, platform or
 * virtual. A call that fails throws a {@link VaultletException}. A null argument throws {@link
 * NullPointerException}, a string with a NUL character {@link IllegalArgumentException}, and a call
 * on a closed instance {@link IllegalStateException}.
 *
 * <p>Interrupting a thread that waits for a call ends the call with {@link
 * VaultletException.Cancelled}; the thread stays marked as interrupted. Cancelling the future of a
 * call, or completing it in another way ({@link CompletableFuture#orTimeout}), ends the call;
 * cancelling a dependent future does not. Dependent stages run on the executor of {@link
 * VaultletBuilder#executor}.
 */
public final class Vaultlet implements AutoCloseable {
    private final Handle handle;
    private final Executor executor;
    private final Cleaner.Cleanable cleanable;

    Vaultlet(long address, Executor executor) {
        this.handle = new Handle(address);
        this.executor = executor;
        this.cleanable = Plaintext.cleanable(this, handle);
    }

    /**
     * Opens an instance that the environment configures, as is usual in a job. Uses no network.
     *
     * @throws VaultletException.Configuration if settings in the environment contradict each other
     * @throws UnsatisfiedLinkError if there is no native library for this system, or no JNA
     */
    public static Vaultlet open() {
        return builder().open();
    }

    /** Returns a builder, for settings that the environment does not have. */
    public static VaultletBuilder builder() {
        return new VaultletBuilder();
    }

    /** The version of the native library: {@code 0.1.0}. */
    public static String version() {
        return Abi.text(Abi.vaultlet_version());
    }

    /**
     * Gets a secret.
     *
     * @param reference {@code akv://<vault>/<name>[/<version>]}, or another form of reference
     */
    public Secret get(String reference) {
        return get(reference, CallOptions.NONE);
    }

    /** Gets a secret; see {@link #get(String)}. */
    public Secret get(String reference, CallOptions options) {
        return this.<Secret>text(Call.Operation.GET, reference, options, null).await();
    }

    /** Gets a secret; see {@link #get(String)}. */
    public CompletableFuture<Secret> getAsync(String reference) {
        return getAsync(reference, CallOptions.NONE);
    }

    /** Gets a secret; see {@link #get(String)}. */
    public CompletableFuture<Secret> getAsync(String reference, CallOptions options) {
        return text(Call.Operation.GET, reference, options, executor);
    }

    /** Gets several secrets at once, in the order of their references: all or none. */
    public SecretList getMany(String... references) {
        return getMany(Arrays.asList(references), CallOptions.NONE);
    }

    /** Gets several secrets at once, in the order of their references: all or none. */
    public SecretList getMany(Collection<String> references, CallOptions options) {
        return many(references, options, null).await();
    }

    /** Gets several secrets at once, in the order of their references: all or none. */
    public CompletableFuture<SecretList> getManyAsync(String... references) {
        return getManyAsync(Arrays.asList(references), CallOptions.NONE);
    }

    /** Gets several secrets at once, in the order of their references: all or none. */
    public CompletableFuture<SecretList> getManyAsync(
            Collection<String> references, CallOptions options) {
        return many(references, options, executor);
    }

    /**
     * Gets the secrets that the process's variables refer to, by the names of the variables: all or
     * none. The environment is not changed.
     *
     * <p>A variable is resolved when its whole value is a reference. One that ends in {@code
     * ?optional} is left out when there is no such secret; {@code ?default=TEXT} gives a text in its
     * place. If a variable fails, the exception is about the first one, and {@link
     * VaultletException#variables} has all.
     */
    public SecretMap resolveEnvironment() {
        return resolveEnvironment(EnvironmentRequest.ALL, CallOptions.NONE);
    }

    /** Gets the secrets that variables refer to; see {@link #resolveEnvironment()}. */
    public SecretMap resolveEnvironment(EnvironmentRequest request) {
        return resolveEnvironment(request, CallOptions.NONE);
    }

    /** Gets the secrets that variables refer to; see {@link #resolveEnvironment()}. */
    public SecretMap resolveEnvironment(EnvironmentRequest request, CallOptions options) {
        return environment(request, options, null).await();
    }

    /** Gets the secrets that variables refer to; see {@link #resolveEnvironment()}. */
    public CompletableFuture<SecretMap> resolveEnvironmentAsync(
            EnvironmentRequest request, CallOptions options) {
        return environment(request, options, executor);
    }

    /**
     * Lists the secrets of a vault, without their values.
     *
     * @param vault the vault's name, its host or {@code akv://<vault>}
     */
    public List<SecretProperties> list(String vault) {
        return list(vault, CallOptions.NONE);
    }

    /** Lists the secrets of a vault; see {@link #list(String)}. */
    public List<SecretProperties> list(String vault, CallOptions options) {
        return this.<List<SecretProperties>>text(
                Call.Operation.LIST, vault, options, null).await();
    }

    /** Lists the secrets of a vault; see {@link #list(String)}. */
    public CompletableFuture<List<SecretProperties>> listAsync(String vault, CallOptions options) {
        return text(Call.Operation.LIST, vault, options, executor);
    }

    /**
     * Lists the versions of a secret, without their values.
     *
     * @param reference {@code akv://<vault>/<name>}
     */
    public List<SecretProperties> versions(String reference) {
        return versions(reference, CallOptions.NONE);
    }

    /** Lists the versions of a secret; see {@link #versions(String)}. */
    public List<SecretProperties> versions(String reference, CallOptions options) {
        return this.<List<SecretProperties>>text(
                Call.Operation.VERSIONS, reference, options, null).await();
    }

    /** Lists the versions of a secret; see {@link #versions(String)}. */
    public CompletableFuture<List<SecretProperties>> versionsAsync(
            String reference, CallOptions options) {
        return text(Call.Operation.VERSIONS, reference, options, executor);
    }

    /** Gets an access token for Key Vault, for programs that call Azure themselves. */
    public Token token() {
        return token(TokenRequest.KEY_VAULT, CallOptions.NONE);
    }

    /** Gets an access token, from the cache if possible. */
    public Token token(TokenRequest request) {
        return token(request, CallOptions.NONE);
    }

    /** Gets an access token, from the cache if possible. */
    public Token token(TokenRequest request, CallOptions options) {
        return this.<Token>token(Call.Operation.TOKEN, request, options, null).await();
    }

    /** Gets an access token, from the cache if possible. */
    public CompletableFuture<Token> tokenAsync(TokenRequest request, CallOptions options) {
        return token(Call.Operation.TOKEN, request, options, executor);
    }

    /** Gets a token and returns the identity that it belongs to, to which roles are granted. */
    public Identity whoami() {
        return whoami(TokenRequest.KEY_VAULT, CallOptions.NONE);
    }

    /** Gets a token and returns the identity that it belongs to, to which roles are granted. */
    public Identity whoami(TokenRequest request, CallOptions options) {
        return this.<Identity>token(Call.Operation.WHOAMI, request, options, null).await();
    }

    /** Gets a token and returns the identity that it belongs to, to which roles are granted. */
    public CompletableFuture<Identity> whoamiAsync(TokenRequest request, CallOptions options) {
        return token(Call.Operation.WHOAMI, request, options, executor);
    }

    /** Returns what getting a token would read and connect to; see {@link #plan(String)}. */
    public String plan() {
        return plan(null);
    }

    /**
     * Returns what getting this secret would read and connect to, as JSON with the members {@code
     * vault}, {@code variables}, {@code secrets}, {@code servers}, {@code files}, {@code keys} and {@code programs}.
     * Uses no network.
     *
     * @param reference the secret, or null for a token alone
     */
    public String plan(String reference) {
        try (Arguments arguments = new Arguments()) {
            long text = arguments.text(reference);
            long out = arguments.out();
            long address = handle.enter();
            try {
                StructReader.check(Abi.vaultlet_plan(address, text, 0, out));
            } finally {
                handle.leave();
            }
            long json = Arguments.valueOf(out);
            String plan = Abi.text(json);
            Abi.vaultlet_text_free(json);
            return plan;
        }
    }

    /** Refuses new calls, which throw {@link IllegalStateException}; running calls still end. */
    @Override
    public void close() {
        cleanable.clean();
    }

    /** Starts an operation on a reference or a vault. */
    private <T> Call<T> text(
            Call.Operation operation, String text, CallOptions options, Executor executor) {
        Objects.requireNonNull(text, "a reference or a vault is needed");
        try (Arguments arguments = new Arguments()) {
            return start(operation, arguments, arguments.text(text), 0, options, executor);
        }
    }

    private Call<SecretList> many(
            Collection<String> references, CallOptions options, Executor executor) {
        List<String> all = List.copyOf(references);
        try (Arguments arguments = new Arguments()) {
            long first = arguments.texts(all);
            return start(Call.Operation.GET_MANY, arguments, first, all.size(), options, executor);
        }
    }

    private Call<SecretMap> environment(
            EnvironmentRequest request, CallOptions options, Executor executor) {
        try (Arguments arguments = new Arguments()) {
            long first = arguments.environmentRequest(request);
            return start(
                    Call.Operation.RESOLVE_ENVIRONMENT, arguments, first, 0, options, executor);
        }
    }

    private <T> Call<T> token(
            Call.Operation operation,
            TokenRequest request,
            CallOptions options,
            Executor executor) {
        try (Arguments arguments = new Arguments()) {
            long first = arguments.tokenRequest(request);
            return start(operation, arguments, first, 0, options, executor);
        }
    }

    private <T> Call<T> start(
            Call.Operation operation,
            Arguments arguments,
            long first,
            int count,
            CallOptions options,
            Executor executor) {
        long address = handle.enter();
        try {
            Call<T> call = new Call<>(operation, options, executor);
            return call.start(arguments, address, first, count, options);
        } finally {
            handle.leave();
        }
    }
}
