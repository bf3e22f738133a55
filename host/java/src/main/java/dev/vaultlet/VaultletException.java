package dev.vaultlet;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * A failed call. The message is the line that the command line prints, {@code <doing what>: <what
 * happened> [<service code>]; <what to do> (<id>)}; never a token, a secret or a secret's value.
 *
 * <p>Each kind of error has a class of its own: {@link NotFoundException}, {@link DeniedException}
 * and so on.
 */
public class VaultletException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Details details;

    VaultletException(Details details) {
        super(details.line());
        this.details = details;
    }

    /** What an error says. */
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
            List<Attempt> attempts)
            implements Serializable {}

    /**
     * One source of credentials that was asked.
     *
     * @param source its label: {@code managed-identity}
     * @param endpoint which form of it, {@code azure-ml}, or null
     * @param outcome {@code not-configured}, {@code failed} or {@code skipped}
     * @param message why, in one line
     */
    public record Attempt(String source, String endpoint, String outcome, String message)
            implements Serializable {}

    static VaultletException of(Details details) {
        if (details.id().equals("cancelled")) {
            return new CancelledException(details);
        }
        return switch (details.kind()) {
            case USAGE -> new UsageException(details);
            case INVALID_ARGUMENT -> new InvalidArgumentException(details);
            case NOT_FOUND -> new NotFoundException(details);
            case DISABLED -> new DisabledException(details);
            case UNAVAILABLE -> new UnavailableException(details);
            case TIMEOUT -> new CallTimeoutException(details);
            case INTERNAL -> new InternalException(details);
            case CONFLICT -> new ConflictException(details);
            case THROTTLED -> new ThrottledException(details);
            case DENIED -> new DeniedException(details);
            case CONFIGURATION -> new ConfigurationException(details);
            case NOT_CONFIGURED -> new NotConfiguredException(details);
            case UNAUTHENTICATED -> new UnauthenticatedException(details);
            case UNKNOWN -> new VaultletException(details);
        };
    }

    /** What to do next, for programs. */
    public final Kind kind() {
        return details.kind();
    }

    /** A stable name of this failure, of the README's table of errors: {@code secret-not-found}. */
    public final String id() {
        return details.id();
    }

    /** What was being done and what happened, one line. */
    public final String summary() {
        return details.summary();
    }

    /** What to do about it, one line; may be empty. */
    public final String help() {
        return details.help();
    }

    /** The HTTP status; 0 when no server answered. */
    public final int status() {
        return details.status();
    }

    /** The service's own code, {@code ForbiddenByRbac}, or null. */
    public final String code() {
        return details.code();
    }

    /** The service's id of the request, or null. */
    public final String requestId() {
        return details.requestId();
    }

    /** How long the service asked to be left alone, or null. */
    public final Duration retryAfter() {
        return details.retryAfter();
    }

    /** One entry for each source of credentials that was asked, whenever no token was had. */
    public final List<Attempt> attempts() {
        return details.attempts();
    }
}
