package dev.vaultlet;

import java.time.Duration;

/** Options of a single call. Immutable; start with {@link #NONE}. */
public final class CallOptions {
    /** No options: the settings of the {@link Vaultlet} apply. */
    public static final CallOptions NONE = new CallOptions(null, null, null, null, null);

    private final Duration timeout;
    private final Cancellation cancellation;
    private final String clientId;
    private final String objectId;
    private final String resourceId;

    private CallOptions(
            Duration timeout,
            Cancellation cancellation,
            String clientId,
            String objectId,
            String resourceId) {
        this.timeout = timeout;
        this.cancellation = cancellation;
        this.clientId = clientId;
        this.objectId = objectId;
        this.resourceId = resourceId;
    }

    /**
     * Returns options with a timeout for the whole call, in milliseconds' precision.
     *
     * @throws IllegalArgumentException unless the timeout is positive
     */
    public CallOptions withTimeout(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("a timeout must be positive");
        }
        return new CallOptions(timeout, cancellation, clientId, objectId, resourceId);
    }

    /** Returns options with a cancellation, which several calls may share. */
    public CallOptions withCancellation(Cancellation cancellation) {
        return new CallOptions(timeout, cancellation, clientId, objectId, resourceId);
    }

    /** Returns options that select the user-assigned managed identity with this client id. */
    public CallOptions withClientId(String clientId) {
        return new CallOptions(timeout, cancellation, clientId, null, null);
    }

    /** Returns options that select the user-assigned managed identity with this object id. */
    public CallOptions withObjectId(String objectId) {
        return new CallOptions(timeout, cancellation, null, objectId, null);
    }

    /** Returns options that select the user-assigned managed identity with this resource id. */
    public CallOptions withResourceId(String resourceId) {
        return new CallOptions(timeout, cancellation, null, null, resourceId);
    }

    /** The timeout; 0 is that of the {@link Vaultlet}. */
    long timeoutMillis() {
        if (timeout == null) {
            return 0;
        }
        // Less than a millisecond must not become 0; what would overflow is as good as no timeout.
        return timeout.getSeconds() > Integer.MAX_VALUE
                ? Integer.MAX_VALUE * 1000L
                : Math.max(1, timeout.toMillis());
    }

    Cancellation cancellation() {
        return cancellation;
    }

    String clientId() {
        return clientId;
    }

    String objectId() {
        return objectId;
    }

    String resourceId() {
        return resourceId;
    }
}
