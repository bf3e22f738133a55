package dev.vaultlet;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * A failed call. The message is the line that the command line prints, {@code <doing what>: <what
 * happened> [<service code>]; <what to do> (<id>)}, and never contains a token or a secret's value.
 *
 * <p>Each {@link Kind} of error is a nested class: {@code catch (VaultletException.NotFound e)}.
 */
public class VaultletException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Details details;

    private VaultletException(Details details) {
        super(details.line());
        this.details = details;
    }

    /** All parts of an error. */
    record Details(
            Kind kind,
            String id,
            String summary,
            String help,
            int status,
            String code,
            String requestId,
            Duration retryAfter,
            String line,
            List<Attempt> attempts,
            List<FailedVariable> variables)
            implements Serializable {}

    /**
     * The outcome of asking one source of credentials.
     *
     * @param source the label of the source: {@code managed-identity}
     * @param endpoint the form of the identity endpoint, {@code azure-ml}, or null
     * @param outcome {@code not-configured}, {@code failed} or {@code skipped}
     * @param message the reason, in one line
     */
    public record Attempt(String source, String endpoint, String outcome, String message)
            implements Serializable {}

    /**
     * A variable whose reference could not be resolved.
     *
     * @param name the name of the variable
     * @param id the stable id of the failure: {@code secret-not-found}
     * @param kind the kind of the failure
     * @param message what vaultlet was doing and what happened, in one line
     */
    public record FailedVariable(String name, String id, Kind kind, String message)
            implements Serializable {}

    /** Creates the exception of the error's kind. */
    static VaultletException create(Details details) {
        if (details.id().equals("cancelled")) {
            return new Cancelled(details);
        }
        return switch (details.kind()) {
            case USAGE -> new Usage(details);
            case INVALID_ARGUMENT -> new InvalidArgument(details);
            case NOT_FOUND -> new NotFound(details);
            case DISABLED -> new Disabled(details);
            case UNAVAILABLE -> new Unavailable(details);
            case TIMEOUT -> new Timeout(details);
            case INTERNAL -> new Internal(details);
            case CONFLICT -> new Conflict(details);
            case THROTTLED -> new Throttled(details);
            case DENIED -> new Denied(details);
            case CONFIGURATION -> new Configuration(details);
            case NOT_CONFIGURED -> new NotConfigured(details);
            case UNAUTHENTICATED -> new Unauthenticated(details);
            case UNKNOWN -> new VaultletException(details);
        };
    }

    /** Creates the exception for a call whose thread was interrupted. */
    static Cancelled interrupted(String doing) {
        String summary = doing + ": the thread was interrupted";
        return new Cancelled(new Details(
                Kind.TIMEOUT, "cancelled", summary, "", 0, null, null, null,
                summary + " (cancelled)", List.of(), List.of()));
    }

    /** The kind of the error, which says what to do next. */
    public final Kind kind() {
        return details.kind();
    }

    /** The stable id of the error, as in the table of errors: {@code secret-not-found}. */
    public final String id() {
        return details.id();
    }

    /** What vaultlet was doing and what happened, in one line. */
    public final String summary() {
        return details.summary();
    }

    /** What to do about the error, in one line; may be empty. */
    public final String help() {
        return details.help();
    }

    /** The HTTP status; 0 when there was no response. */
    public final int status() {
        return details.status();
    }

    /** The service's own error code, {@code ForbiddenByRbac}, or null. */
    public final String code() {
        return details.code();
    }

    /** The service's id of the request, or null. */
    public final String requestId() {
        return details.requestId();
    }

    /** How long the service asked its callers to wait before a retry, or null. */
    public final Duration retryAfter() {
        return details.retryAfter();
    }

    /** The sources of credentials that were asked, when no token could be obtained. */
    public final List<Attempt> attempts() {
        return details.attempts();
    }

    /**
     * The variables that {@link Vaultlet#resolveEnvironment} could not resolve, in the order of their
     * names; the rest of the exception is about the first of them.
     */
    public final List<FailedVariable> variables() {
        return details.variables();
    }

    /** The arguments contradict each other: correct the program. */
    public static final class Usage extends VaultletException {
        private static final long serialVersionUID = 1;

        private Usage(Details details) {
            super(details);
        }
    }

    /** A reference, name or pointer is malformed: correct it. */
    public static final class InvalidArgument extends VaultletException {
        private static final long serialVersionUID = 1;

        private InvalidArgument(Details details) {
            super(details);
        }
    }

    /** The vault has no such secret, or no such version of the secret. */
    public static final class NotFound extends VaultletException {
        private static final long serialVersionUID = 1;

        private NotFound(Details details) {
            super(details);
        }
    }

    /** The secret exists and is disabled. */
    public static final class Disabled extends VaultletException {
        private static final long serialVersionUID = 1;

        private Disabled(Details details) {
            super(details);
        }
    }

    /** A server cannot be reached, or its response makes no sense: try again in a few minutes. */
    public static final class Unavailable extends VaultletException {
        private static final long serialVersionUID = 1;

        private Unavailable(Details details) {
            super(details);
        }
    }

    /** The call did not end within its timeout. */
    public static final class Timeout extends VaultletException {
        private static final long serialVersionUID = 1;

        private Timeout(Details details) {
            super(details);
        }
    }

    /** A defect of vaultlet: report it with its message. */
    public static final class Internal extends VaultletException {
        private static final long serialVersionUID = 1;

        private Internal(Details details) {
            super(details);
        }
    }

    /** The secret's state does not allow the call at this moment. */
    public static final class Conflict extends VaultletException {
        private static final long serialVersionUID = 1;

        private Conflict(Details details) {
            super(details);
        }
    }

    /**
     * The service is throttling requests, for longer than the call may take; see {@link
     * #retryAfter}.
     */
    public static final class Throttled extends VaultletException {
        private static final long serialVersionUID = 1;

        private Throttled(Details details) {
            super(details);
        }
    }

    /** The identity lacks a permission, or a policy of vaultlet forbids the call. */
    public static final class Denied extends VaultletException {
        private static final long serialVersionUID = 1;

        private Denied(Details details) {
            super(details);
        }
    }

    /** Settings are malformed or contradict each other, or a security check failed. */
    public static final class Configuration extends VaultletException {
        private static final long serialVersionUID = 1;

        private Configuration(Details details) {
            super(details);
        }
    }

    /**
     * No source of credentials is configured; {@link #attempts} lists the sources that were tried.
     */
    public static final class NotConfigured extends VaultletException {
        private static final long serialVersionUID = 1;

        private NotConfigured(Details details) {
            super(details);
        }
    }

    /** An identity was found, and its credentials were rejected. */
    public static final class Unauthenticated extends VaultletException {
        private static final long serialVersionUID = 1;

        private Unauthenticated(Details details) {
            super(details);
        }
    }

    /**
     * The call was ended by its {@link Cancellation}, or because its thread was interrupted. An
     * interrupted thread stays marked as interrupted. The kind is {@link Kind#TIMEOUT}.
     */
    public static final class Cancelled extends VaultletException {
        private static final long serialVersionUID = 1;

        private Cancelled(Details details) {
            super(details);
        }
    }
}
