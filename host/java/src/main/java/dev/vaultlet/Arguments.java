package dev.vaultlet;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The arguments of one call of the library, in native memory that is freed on close. */
final class Arguments implements AutoCloseable {
    private static final int CALL = 48;
    private static final int TOKEN_REQUEST = 32;
    private static final int ENVIRONMENT_REQUEST = 40;
    private static final int VARIABLE = 16;

    private long[] blocks = new long[4];
    private int count;

    /** Allocates an output parameter: a place for an address or a length. */
    long out() {
        return allocate(Long.BYTES);
    }

    /** Reads what the library wrote to an output parameter. */
    static long valueOf(long out) {
        return ByteBuffer.wrap(Abi.read(out, Long.BYTES)).order(ByteOrder.nativeOrder()).getLong();
    }

    /** Copies a string as UTF-8 that ends with NUL; null is 0. */
    long text(String text) {
        if (text == null) {
            return 0;
        }
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a string for vaultlet must not contain NUL");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        long address = allocate(bytes.length + 1L);
        Abi.write(address, bytes);
        return address;
    }

    /** Copies strings and an array of their addresses. */
    long texts(List<String> texts) {
        ByteBuffer array = structure(Math.max(1, texts.size()) * Long.BYTES);
        for (String text : texts) {
            array.putLong(text(text));
        }
        return copy(array);
    }

    /** Writes a {@code vaultlet_call}. */
    long call(CallOptions options, long cancel) {
        return copy(structure(CALL)
                .putLong(CALL)
                .putLong(options.timeoutMillis())
                .putLong(cancel)
                .putLong(text(options.clientId()))
                .putLong(text(options.objectId()))
                .putLong(text(options.resourceId())));
    }

    /** Writes a {@code vaultlet_token_request}. */
    long tokenRequest(TokenRequest request) {
        return copy(structure(TOKEN_REQUEST)
                .putLong(TOKEN_REQUEST)
                .putLong(text(request.resource()))
                .putLong(text(request.tenant()))
                .putLong(text(request.claims())));
    }

    /** Writes a {@code vaultlet_environment_request}. */
    long environmentRequest(EnvironmentRequest request) {
        Map<String, String> variables = request.variables();
        List<String> only = request.only();
        return copy(structure(ENVIRONMENT_REQUEST)
                .putLong(ENVIRONMENT_REQUEST)
                .putLong(variables == null ? 0 : variables(variables))
                .putLong(variables == null ? 0 : variables.size())
                .putLong(only == null ? 0 : texts(only))
                .putLong(only == null ? 0 : only.size()));
    }

    private long variables(Map<String, String> variables) {
        ByteBuffer array = structure(Math.max(1, variables.size()) * VARIABLE);
        variables.forEach((name, value) -> array.putLong(text(name)).putLong(text(value)));
        return copy(array);
    }

    private static ByteBuffer structure(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }

    private long copy(ByteBuffer structure) {
        long address = allocate(structure.capacity());
        Abi.write(address, structure.array());
        return address;
    }

    private long allocate(long size) {
        if (count == blocks.length) {
            blocks = Arrays.copyOf(blocks, 2 * count);
        }
        long block = Abi.allocate(size);
        blocks[count++] = block;
        return block;
    }

    @Override
    public void close() {
        while (count > 0) {
            Abi.free(blocks[--count]);
        }
    }
}
