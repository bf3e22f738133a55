package dev.vaultlet;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What is given to one call of the library, in memory of C, freed with this. */
final class Arguments implements AutoCloseable {
    private static final int CALL = 48;
    private static final int TOKEN_REQUEST = 32;

    private final Abi abi;
    private final Abi.Memory memory;

    Arguments(Abi abi) {
        this.abi = abi;
        this.memory = abi.memory();
    }

    /** A place for an address. */
    long out() {
        return memory.allocate(Long.BYTES);
    }

    /** The address in such a place. */
    long at(long out) {
        return ByteBuffer.wrap(abi.read(out, Long.BYTES)).order(ByteOrder.nativeOrder()).getLong();
    }

    /** UTF-8 with a NUL after it; 0 for null. */
    long text(String text) {
        if (text == null) {
            return 0;
        }
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a text for vaultlet has no NUL in it");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        long address = memory.allocate(bytes.length + 1L);
        abi.write(address, bytes);
        return address;
    }

    long texts(List<String> texts) {
        ByteBuffer array = structure(Math.max(1, texts.size()) * Long.BYTES);
        for (String text : texts) {
            array.putLong(text(text));
        }
        return put(array);
    }

    /** A {@code vaultlet_call}. */
    long call(CallOptions options, long cancel) {
        return put(structure(CALL)
                .putLong(CALL)
                .putLong(options.timeoutMillis())
                .putLong(cancel)
                .putLong(text(options.clientId()))
                .putLong(text(options.objectId()))
                .putLong(text(options.resourceId())));
    }

    /** A {@code vaultlet_token_request}. */
    long tokenRequest(TokenRequest request) {
        return put(structure(TOKEN_REQUEST)
                .putLong(TOKEN_REQUEST)
                .putLong(text(request.resource()))
                .putLong(text(request.tenant()))
                .putLong(text(request.claims())));
    }

    private static ByteBuffer structure(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }

    private long put(ByteBuffer structure) {
        long address = memory.allocate(structure.capacity());
        abi.write(address, structure.array());
        return address;
    }

    @Override
    public void close() {
        memory.close();
    }
}
