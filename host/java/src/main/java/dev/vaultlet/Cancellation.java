package dev.vaultlet;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Cancels the calls that were given it, running or yet to start: they throw {@link
 * VaultletException.Cancelled}. Any thread may use it.
 */
public final class Cancellation {
    private final Set<Call<?>> running = new HashSet<>();
    private boolean cancelled;

    /** Cancels the calls; a second time does nothing. */
    public void cancel() {
        List<Call<?>> ending;
        synchronized (running) {
            cancelled = true;
            ending = new ArrayList<>(running);
            running.clear();
        }
        for (Call<?> call : ending) {
            call.stop();
        }
    }

    /** Returns whether {@link #cancel} was called. */
    public boolean isCancelled() {
        synchronized (running) {
            return cancelled;
        }
    }

    void add(Call<?> call) {
        synchronized (running) {
            if (!cancelled) {
                running.add(call);
                return;
            }
        }
        call.stop();
    }

    void remove(Call<?> call) {
        synchronized (running) {
            running.remove(call);
        }
    }
}
