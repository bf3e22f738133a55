package dev.vaultlet;

import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A running call.
 *
 * <p>A platform thread that waits for its call blocks inside the library. No thread of the library
 * is then attached to the virtual machine, which would wait for such threads when it exits. A call
 * that no thread waits for runs on the library's threads, whose callback completes the future; so
 * does a call of a virtual thread, whose carrier must not be blocked.
 */
final class Call<T> extends CompletableFuture<T> implements Runnable {
    /** Numbers the asynchronous calls; the library passes the number back on completion. */
    private static final AtomicLong NEXT = new AtomicLong();

    private static final ConcurrentHashMap<Long, Call<?>> PENDING = new ConcurrentHashMap<>();

    private final Operation operation;
    private final Executor executor;
    private final Cancellation cancellation;
    private long cancel;
    private T value;
    private Throwable failure;
    private boolean interrupted;

    /** The operations of the library; the text says what vaultlet is doing, in an error. */
    enum Operation {
        GET("getting a secret"),
        GET_MANY("getting secrets"),
        RESOLVE_ENVIRONMENT("resolving the environment"),
        LIST("listing secrets"),
        VERSIONS("listing versions"),
        TOKEN("getting a token"),
        WHOAMI("getting the identity");

        final String doing;

        Operation(String doing) {
            this.doing = doing;
        }
    }

    /**
     * Prepares a call.
     *
     * @param executor completes the future; null if the calling thread waits for the call
     */
    Call(Operation operation, CallOptions options, Executor executor) {
        this.operation = operation;
        this.executor = executor;
        this.cancellation = options.cancellation();
        this.cancel = Abi.vaultlet_cancel_new();
    }

    /**
     * Starts the call; one that blocks the calling thread inside the library has ended on return.
     *
     * @param first the address of the reference, the vault, the request or the first reference
     * @param count the number of references
     */
    Call<T> start(Arguments arguments, long handle, long first, int count, CallOptions options) {
        boolean blocking = executor == null && !VirtualThreads.isCurrent();
        long out;
        long call;
        try {
            out = blocking ? arguments.out() : Completion.ADDRESS;
            call = arguments.call(options, cancel);
        } catch (RuntimeException | Error refused) {
            free();
            throw refused;
        }
        if (cancellation != null) {
            cancellation.add(this);
        }
        if (blocking) {
            long error = new Blocking(handle, first, count, call, out).run();
            ended(error, Arguments.valueOf(out));
            return this;
        }
        startAsynchronous(handle, first, count, call, out);
        if (executor != null) {
            // Whatever completes the future, cancelling it too, ends the call in the library.
            whenComplete((value, failure) -> stop());
        }
        return this;
    }

    private void startAsynchronous(long handle, long first, int count, long call, long then) {
        long context = NEXT.incrementAndGet();
        PENDING.put(context, this);
        switch (operation) {
            case GET -> Abi.vaultlet_get_then(handle, first, call, then, context);
            case GET_MANY -> Abi.vaultlet_get_many_then(handle, first, count, call, then, context);
            case RESOLVE_ENVIRONMENT ->
                    Abi.vaultlet_resolve_environment_then(handle, first, call, then, context);
            case LIST -> Abi.vaultlet_list_then(handle, first, call, then, context);
            case VERSIONS -> Abi.vaultlet_versions_then(handle, first, call, then, context);
            case TOKEN, WHOAMI -> Abi.vaultlet_get_token_then(handle, first, call, then, context);
        }
    }

    /** Ends an asynchronous call, on a thread of the library. */
    static void completed(long context, long error, long result) {
        try {
            Call<?> call = PENDING.remove(context);
            if (call != null) {
                call.ended(error, result);
            }
        } catch (Throwable lost) {
            // The future has been told as far as possible, and C could do nothing with it.
        }
    }

    /** A call that blocks its thread inside the library; interrupting the thread ends the call. */
    private final class Blocking extends AbstractInterruptibleChannel
            implements ForkJoinPool.ManagedBlocker {
        private final long handle;
        private final long first;
        private final int count;
        private final long call;
        private final long out;
        private long error;

        Blocking(long handle, long first, int count, long call, long out) {
            this.handle = handle;
            this.first = first;
            this.count = count;
            this.call = call;
            this.out = out;
        }

        /** Returns the error; a fork-join pool may add a thread while this one is blocked. */
        long run() {
            try {
                ForkJoinPool.managedBlock(this);
            } catch (RejectedExecutionException | InterruptedException notReplaced) {
                block();
            }
            return error;
        }

        @Override
        public boolean block() {
            begin();
            try {
                error = switch (operation) {
                    case GET -> Abi.vaultlet_get(handle, first, call, out);
                    case GET_MANY -> Abi.vaultlet_get_many(handle, first, count, call, out);
                    case RESOLVE_ENVIRONMENT ->
                            Abi.vaultlet_resolve_environment(handle, first, call, out);
                    case LIST -> Abi.vaultlet_list(handle, first, call, out);
                    case VERSIONS -> Abi.vaultlet_versions(handle, first, call, out);
                    case TOKEN, WHOAMI -> Abi.vaultlet_get_token(handle, first, call, out);
                };
            } finally {
                try {
                    end(true);
                } catch (AsynchronousCloseException byInterrupt) {
                    interrupted = true;
                    // Whatever the virtual machine has made of the mark meanwhile, it must stay.
                    Thread.currentThread().interrupt();
                }
            }
            return true;
        }

        @Override
        public boolean isReleasable() {
            return false;
        }

        /** Runs on the interrupting thread, maybe after the call has ended. */
        @Override
        protected void implCloseChannel() {
            Call.this.stop();
        }
    }

    /** Cancels the call in the library, unless it has ended. */
    synchronized void stop() {
        if (cancel != 0) {
            Abi.vaultlet_cancel_now(cancel);
        }
    }

    private synchronized void free() {
        Abi.vaultlet_cancel_free(cancel);
        cancel = 0;
    }

    /** Takes the outcome, on a thread of the library or on the one that was blocked in it. */
    private void ended(long error, long result) {
        if (cancellation != null) {
            cancellation.remove(this);
        }
        free();
        try {
            if (error != 0) {
                failure = StructReader.takeError(error);
            } else {
                value = convert(result);
            }
        } catch (Throwable defect) {
            failure = defect;
        }
        if (executor == null) {
            run();
            return;
        }
        try {
            executor.execute(this);
        } catch (RejectedExecutionException refused) {
            new Thread(this, "vaultlet").start();
        }
    }

    /** Completes the future. */
    @Override
    public void run() {
        if (failure != null) {
            completeExceptionally(failure);
        } else if (!complete(value)) {
            close(value);
        }
    }

    /** Converts the library's result to the object that the caller gets. */
    @SuppressWarnings("unchecked")
    private T convert(long result) {
        return (T) switch (operation) {
            case GET -> new Secret(Plaintext.secret(result), properties(result));
            case GET_MANY -> new SecretList(secrets(result, false));
            case RESOLVE_ENVIRONMENT -> {
                List<String> names = StructReader.names(result);
                yield new SecretMap(names, secrets(result, true));
            }
            case LIST, VERSIONS -> {
                List<SecretProperties> listing = StructReader.listing(result);
                Abi.vaultlet_listing_free(result);
                yield listing;
            }
            case TOKEN -> new Token(Plaintext.token(result), identity(result));
            case WHOAMI -> {
                Identity identity = identity(result);
                Abi.vaultlet_token_free(result);
                yield identity;
            }
        };
    }

    private static SecretProperties properties(long secret) {
        return StructReader.properties(Abi.vaultlet_secret_properties(secret));
    }

    private static Identity identity(long token) {
        return StructReader.identity(Abi.vaultlet_token_identity(token));
    }

    private static Secret[] secrets(long result, boolean named) {
        long[] members = StructReader.secrets(result);
        Plaintext.Group group = new Plaintext.Group(result, named, members.length);
        if (members.length == 0) {
            group.free();
        }
        Secret[] secrets = new Secret[members.length];
        for (int at = 0; at < members.length; at++) {
            secrets[at] =
                    new Secret(Plaintext.member(group, members[at]), properties(members[at]));
        }
        return secrets;
    }

    /** Waits for the end of the call, on the thread that started it. */
    T await() {
        try {
            return get();
        } catch (InterruptedException interrupted) {
            stop();
            if (!cancel(false) && !isCompletedExceptionally()) {
                close(join());
            }
            Thread.currentThread().interrupt();
            throw VaultletException.interrupted(operation.doing);
        } catch (ExecutionException failed) {
            Throwable cause = failed.getCause();
            if (interrupted && cause instanceof VaultletException.Cancelled) {
                throw VaultletException.interrupted(operation.doing);
            }
            if (cause instanceof VaultletException) {
                // A reader wants the stack of the caller, not that of the library's thread.
                cause.fillInStackTrace();
                throw (VaultletException) cause;
            }
            if (cause instanceof Error) {
                throw (Error) cause;
            }
            throw new IllegalStateException(cause);
        }
    }

    /** Closes a result that the caller will not get. */
    private static void close(Object value) {
        if (value instanceof Secret) {
            ((Secret) value).close();
        } else if (value instanceof SecretList) {
            ((SecretList) value).close();
        } else if (value instanceof Token) {
            ((Token) value).close();
        }
    }
}
