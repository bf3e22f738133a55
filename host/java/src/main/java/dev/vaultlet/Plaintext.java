package dev.vaultlet;

import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A secret's value or a token in the library's memory, which is scrubbed when it is freed. No field
 * contains the value, so no serialiser, debugger or {@code toString} can show it.
 */
final class Plaintext implements Runnable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final boolean token;
    private final Group group;
    /** The address of the library's secret or token; 0 once freed. */
    private long address;

    private Plaintext(boolean token, Group group, long address) {
        this.token = token;
        this.group = group;
        this.address = address;
    }

    static Plaintext secret(long address) {
        return new Plaintext(false, null, address);
    }

    static Plaintext token(long address) {
        return new Plaintext(true, null, address);
    }

    static Plaintext member(Group group, long address) {
        return new Plaintext(false, group, address);
    }

    /** Several secrets that the library frees together, when the last of them is closed. */
    static final class Group {
        private final long address;
        /** Whether the secrets have the names of variables. */
        private final boolean named;
        private int open;

        Group(long address, boolean named, int open) {
            this.address = address;
            this.named = named;
            this.open = open;
        }

        void free() {
            if (named) {
                Abi.vaultlet_environment_free(address);
            } else {
                Abi.vaultlet_secrets_free(address);
            }
        }

        synchronized void closeOne() {
            open -= 1;
            if (open == 0) {
                free();
            }
        }
    }

    /** Frees the value when its owner becomes unreachable; the returned object frees it at once. */
    Cleaner.Cleanable ownedBy(Object owner) {
        return CLEANER.register(owner, this);
    }

    /** Runs an action when its owner becomes unreachable; the returned object runs it at once. */
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
            Abi.vaultlet_token_free(address);
        } else {
            Abi.vaultlet_secret_free(address);
        }
        address = 0;
    }

    /** Returns a copy, which the caller should wipe. */
    synchronized byte[] bytes() {
        if (address == 0) {
            throw new IllegalStateException(token ? "the token is closed" : "the secret is closed");
        }
        try (Arguments arguments = new Arguments()) {
            long length = arguments.out();
            long text = token
                    ? Abi.vaultlet_token_reveal(address, length)
                    : Abi.vaultlet_secret_reveal(address, length);
            return Abi.read(text, Math.toIntExact(Arguments.valueOf(length)));
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
