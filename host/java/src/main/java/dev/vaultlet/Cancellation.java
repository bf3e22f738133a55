package dev.vaultlet;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Ends calls, those that run and those that are yet to start with it; they throw {@link
 * CancelledException}. For any thread.
 */
public final class Cancellation {
    private final Set<Call<?>> running = new HashSet<>();
    private boolean cancelled;

    /** Ends the calls. More than once does nothing. */
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

    /** Whether {@link #cancel} was called. */
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
