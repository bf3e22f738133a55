package dev.vaultlet;

/** A handle of the library, closed once closing was asked for and no thread is starting a call. */
final class Handle implements Runnable {
    private final long address;
    private int users;
    private boolean closed;

    Handle(long address) {
        this.address = address;
    }

    /** Returns the address, which is valid until {@link #leave}. */
    synchronized long enter() {
        if (closed) {
            throw new IllegalStateException("vaultlet is closed");
        }
        users += 1;
        return address;
    }

    void leave() {
        boolean last;
        synchronized (this) {
            users -= 1;
            last = closed && users == 0;
        }
        if (last) {
            Abi.vaultlet_close(address);
        }
    }

    /** Closes the handle; a second time does nothing. */
    @Override
    public void run() {
        boolean last;
        synchronized (this) {
            last = !closed && users == 0;
            closed = true;
        }
        if (last) {
            Abi.vaultlet_close(address);
        }
    }
}
