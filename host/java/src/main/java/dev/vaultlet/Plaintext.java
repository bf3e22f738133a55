package dev.vaultlet;

import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A value in the library's memory, which is scrubbed when it is freed. Nothing of it is in a field,
 * so that no serialiser, debugger's view or {@code toString} has it.
 */
final class Plaintext implements Runnable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Abi abi;
    private final boolean token;
    private final Group group;
    /** 0 when it is freed. */
    private long address;

    private Plaintext(Abi abi, boolean token, Group group, long address) {
        this.abi = abi;
        this.token = token;
        this.group = group;
        this.address = address;
    }

    static Plaintext secret(Abi abi, long address) {
        return new Plaintext(abi, false, null, address);
    }

    static Plaintext token(Abi abi, long address) {
        return new Plaintext(abi, true, null, address);
    }

    static Plaintext member(Abi abi, Group group, long address) {
        return new Plaintext(abi, false, group, address);
    }

    /** Secrets that the library frees together, when the last of them is closed. */
    static final class Group {
        private final Abi abi;
        private final long address;
        private int open;

        Group(Abi abi, long address, int open) {
            this.abi = abi;
            this.address = address;
            this.open = open;
        }

        synchronized void closeOne() {
            open -= 1;
            if (open == 0) {
                abi.vaultlet_secrets_free(address);
            }
        }
    }

    /** Frees it when its owner is forgotten; the answer frees it at once. */
    Cleaner.Cleanable ownedBy(Object owner) {
        return CLEANER.register(owner, this);
    }

    /** Frees the handle of a {@link Vaultlet} that was forgotten. */
    static Cleaner.Cleanable cleanable(Object owner, Runnable free) {
        return CLEANER.register(owner, free);
    }

    @Override
    public synchronized void run() {
        if (address == 0) {
            return;
        }
        if (group != null) {
            group.closeOne();
        } else if (token) {
            abi.vaultlet_token_free(address);
        } else {
            abi.vaultlet_secret_free(address);
        }
        address = 0;
    }

    /** A copy, the caller's to wipe. */
    synchronized byte[] bytes() {
        if (address == 0) {
            throw new IllegalStateException(token ? "the token is closed" : "the secret is closed");
        }
        try (Arguments arguments = new Arguments(abi)) {
            long length = arguments.out();
            long text = token
                    ? abi.vaultlet_token_reveal(address, length)
                    : abi.vaultlet_secret_reveal(address, length);
            return abi.read(text, Math.toIntExact(arguments.at(length)));
        }
    }

    char[] chars() {
        byte[] bytes = bytes();
        CharBuffer decoded = StandardCharsets.UTF_8.decode(ByteBuffer.wrap(bytes));
        char[] chars = new char[decoded.remaining()];
        decoded.get(chars);
        Arrays.fill(bytes, (byte) 0);
        Arrays.fill(decoded.array(), '\0');
        return chars;
    }

    String text() {
        byte[] bytes = bytes();
        String text = new String(bytes, StandardCharsets.UTF_8);
        Arrays.fill(bytes, (byte) 0);
        return text;
    }
}
