package dev.vaultlet;

/** The library's handle, which is closed when it was asked to and no thread starts a call on it. */
final class Handle implements Runnable {
    private final Abi abi;
    private final long address;
    private int users;
    private boolean closed;

    Handle(Abi abi, long address) {
        this.abi = abi;
        this.address = address;
    }

    /** The address, until {@link #leave}. */
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
            abi.vaultlet_close(address);
        }
    }

    /** Closes it; more than once does nothing. */
    @Override
    public void run() {
        boolean last;
        synchronized (this) {
            last = !closed && users == 0;
            closed = true;
        }
        if (last) {
            abi.vaultlet_close(address);
        }
    }
}
