package dev.vaultlet;

import java.time.Duration;

/** What one call says besides. Immutable; start with {@link #NONE}. */
public final class CallOptions {
    /** As the handle was opened. */
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
     * The whole call must end within this time, to the millisecond.
     *
     * @throws IllegalArgumentException unless it is positive
     */
    public CallOptions withTimeout(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("a timeout must be positive");
        }
        return new CallOptions(timeout, cancellation, clientId, objectId, resourceId);
    }

    /** What can end this call, and others. */
    public CallOptions withCancellation(Cancellation cancellation) {
        return new CallOptions(timeout, cancellation, clientId, objectId, resourceId);
    }

    /** As the user-assigned identity with this client id. */
    public CallOptions withClientId(String clientId) {
        return new CallOptions(timeout, cancellation, clientId, null, null);
    }

    /** As the user-assigned identity with this object id. */
    public CallOptions withObjectId(String objectId) {
        return new CallOptions(timeout, cancellation, null, objectId, null);
    }

    /** As the user-assigned identity with this resource id. */
    public CallOptions withResourceId(String resourceId) {
        return new CallOptions(timeout, cancellation, null, null, resourceId);
    }

    /** 0 where none is said. */
    long timeoutMillis() {
        if (timeout == null) {
            return 0;
        }
        // Less than a millisecond is not no limit; what overflows is as good as none.
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
