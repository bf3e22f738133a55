package dev.vaultlet;

import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One call that runs. The thread that waits for it does so inside of the library: none of the
 * library's threads comes to be known to the virtual machine, which would wait for it when it ends.
 * Where nobody waits, or a virtual thread, whose carrier would be held up, it is started on the
 * library's threads, whose callback completes it.
 */
final class Call<T> extends CompletableFuture<T> implements Runnable {
    /** What C is given instead of an object. */
    private static final AtomicLong NEXT = new AtomicLong();

    private static final ConcurrentHashMap<Long, Call<?>> RUNNING = new ConcurrentHashMap<>();

    /** One for all calls, made when the library is loaded. */
    private static final class Then implements Abi.Callback {
        static final long ADDRESS = Library.abi().callback(new Then());

        @Override
        public void ended(long context, long error, long result) {
            try {
                Call<?> call = RUNNING.remove(context);
                if (call != null) {
                    call.ended(error, result);
                }
            } catch (Throwable lost) {
                // It has been told to who waits, as far as it can be; C could do nothing with it.
            }
        }
    }

    private final Abi abi;
    private final Ask ask;
    private final Executor executor;
    private final Cancellation cancellation;
    private long cancel;
    private T value;
    private Throwable failure;
    private boolean interrupted;

    /** What is asked for. */
    enum Ask {
        GET("getting a secret"),
        GET_MANY("getting secrets"),
        LIST("listing secrets"),
        VERSIONS("listing versions"),
        TOKEN("getting a token"),
        WHOAMI("asking who this is");

        final String doing;

        Ask(String doing) {
            this.doing = doing;
        }
    }

    /**
     * @param executor completes it; null where a thread waits for it, and nothing is to be run
     *     when it completes
     */
    Call(Abi abi, Ask ask, CallOptions options, Executor executor) {
        this.abi = abi;
        this.ask = ask;
        this.executor = executor;
        this.cancellation = options.cancellation();
        this.cancel = abi.vaultlet_cancel_new();
    }

    /**
     * Starts it; where its thread waits inside of the library, it has ended then.
     *
     * @param first the address of what is asked for
     * @param count how many, of references
     */
    Call<T> start(Arguments arguments, long handle, long first, int count, CallOptions options) {
        boolean inside = executor == null && !Natives.isVirtual();
        long out;
        long call;
        try {
            out = inside ? arguments.out() : Then.ADDRESS;
            call = arguments.call(options, cancel);
        } catch (RuntimeException | Error refused) {
            free();
            throw refused;
        }
        if (cancellation != null) {
            cancellation.add(this);
        }
        if (inside) {
            long error = new Inside(handle, first, count, call, out).error();
            ended(error, arguments.at(out));
            return this;
        }
        then(handle, first, count, call, out);
        if (executor != null) {
            // However it is completed, by cancelling it too, the library is told.
            whenComplete((value, failure) -> stop());
        }
        return this;
    }

    private void then(long handle, long first, int count, long call, long then) {
        long context = NEXT.incrementAndGet();
        RUNNING.put(context, this);
        switch (ask) {
            case GET -> abi.vaultlet_get_then(handle, first, call, then, context);
            case GET_MANY -> abi.vaultlet_get_many_then(handle, first, count, call, then, context);
            case LIST -> abi.vaultlet_list_then(handle, first, call, then, context);
            case VERSIONS -> abi.vaultlet_versions_then(handle, first, call, then, context);
            case TOKEN, WHOAMI -> abi.vaultlet_get_token_then(handle, first, call, then, context);
        }
    }

    /** Waits inside of the library; to interrupt the thread ends the call. */
    private final class Inside extends AbstractInterruptibleChannel
            implements ForkJoinPool.ManagedBlocker {
        private final long handle;
        private final long first;
        private final int count;
        private final long call;
        private final long out;
        private long error;

        Inside(long handle, long first, int count, long call, long out) {
            this.handle = handle;
            this.first = first;
            this.count = count;
            this.call = call;
            this.out = out;
        }

        /** Waits; a pool that this thread is of may have another in its place meanwhile. */
        long error() {
            try {
                ForkJoinPool.managedBlock(this);
            } catch (RejectedExecutionException | InterruptedException alone) {
                block();
            }
            return error;
        }

        @Override
        public boolean block() {
            begin();
            try {
                error = switch (ask) {
                    case GET -> abi.vaultlet_get(handle, first, call, out);
                    case GET_MANY -> abi.vaultlet_get_many(handle, first, count, call, out);
                    case LIST -> abi.vaultlet_list(handle, first, call, out);
                    case VERSIONS -> abi.vaultlet_versions(handle, first, call, out);
                    case TOKEN, WHOAMI -> abi.vaultlet_get_token(handle, first, call, out);
                };
            } finally {
                try {
                    end(true);
                } catch (AsynchronousCloseException byInterrupt) {
                    interrupted = true;
                }
            }
            return true;
        }

        @Override
        public boolean isReleasable() {
            return false;
        }

        /** In the thread that interrupts; it may come when the call has ended. */
        @Override
        protected void implCloseChannel() {
            Call.this.stop();
        }
    }

    /** Ends it, unless it has ended. */
    synchronized void stop() {
        if (cancel != 0) {
            abi.vaultlet_cancel_now(cancel);
        }
    }

    /** There is nothing left to end. */
    private synchronized void free() {
        abi.vaultlet_cancel_free(cancel);
        cancel = 0;
    }

    /** On a thread of the library, or in the one that waited inside of it. */
    private void ended(long error, long result) {
        if (cancellation != null) {
            cancellation.remove(this);
        }
        free();
        try {
            if (error != 0) {
                failure = Layouts.error(abi, error);
                abi.vaultlet_error_free(error);
            } else {
                value = made(result);
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

    /** Tells who waits. */
    @Override
    public void run() {
        if (failure != null) {
            completeExceptionally(failure);
        } else if (!complete(value)) {
            close(value);
        }
    }

    /** What was asked for, of what the library answers. */
    @SuppressWarnings("unchecked")
    private T made(long result) {
        switch (ask) {
            case GET:
                return (T) new Secret(
                        Plaintext.secret(abi, result),
                        Layouts.properties(abi, abi.vaultlet_secret_properties(result)));
            case GET_MANY:
                return (T) many(result);
            case LIST:
            case VERSIONS:
                Object listing = Layouts.listing(abi, result);
                abi.vaultlet_listing_free(result);
                return (T) listing;
            case TOKEN:
                return (T) new Token(Plaintext.token(abi, result), identity(result));
            default:
                Object identity = identity(result);
                abi.vaultlet_token_free(result);
                return (T) identity;
        }
    }

    private Identity identity(long token) {
        return Layouts.identity(abi, abi.vaultlet_token_identity(token));
    }

    private SecretList many(long result) {
        long[] members = Layouts.secrets(abi, result);
        if (members.length == 0) {
            abi.vaultlet_secrets_free(result);
        }
        Plaintext.Group group = new Plaintext.Group(abi, result, members.length);
        Secret[] secrets = new Secret[members.length];
        for (int at = 0; at < members.length; at++) {
            secrets[at] = new Secret(
                    Plaintext.member(abi, group, members[at]),
                    Layouts.properties(abi, abi.vaultlet_secret_properties(members[at])));
        }
        return new SecretList(secrets);
    }

    /** Waits for its end, in the thread that asked. */
    T await() {
        try {
            return get();
        } catch (InterruptedException interrupted) {
            stop();
            if (!cancel(false) && !isCompletedExceptionally()) {
                close(join());
            }
            Thread.currentThread().interrupt();
            throw CancelledException.interrupted(ask.doing);
        } catch (ExecutionException failed) {
            Throwable cause = failed.getCause();
            if (interrupted && cause instanceof CancelledException) {
                throw CancelledException.interrupted(ask.doing);
            }
            if (cause instanceof VaultletException) {
                // Where it was asked for is what a reader wants, not the library's thread.
                cause.fillInStackTrace();
                throw (VaultletException) cause;
            }
            if (cause instanceof Error) {
                throw (Error) cause;
            }
            throw new IllegalStateException(cause);
        }
    }

    /** Nobody will have it. */
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
