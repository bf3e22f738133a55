package dev.vaultlet;

import java.util.List;

/**
 * The call was ended by its {@link Cancellation}, or because its thread was interrupted; then the
 * thread is still marked as interrupted. Its id is {@code cancelled}, its kind that of timeouts.
 */
public final class CancelledException extends VaultletException {
    private static final long serialVersionUID = 1;

    CancelledException(Details details) {
        super(details);
    }

    /** In the thread that was interrupted. */
    static CancelledException interrupted(String doing) {
        String happened = doing + ": the thread was interrupted";
        return new CancelledException(new Details(
                Kind.TIMEOUT, "cancelled", happened, "", 0, null, null, null,
                happened + " (cancelled)", List.of()));
    }
}
