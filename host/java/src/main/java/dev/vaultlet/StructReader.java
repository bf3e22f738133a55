package dev.vaultlet;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the structures of {@code vaultlet.h}, whose layout on 64-bit systems is part of the ABI.
 * An instance reads one structure; each member is read once, in the order of the header.
 */
final class StructReader {
    private static final int ATTEMPT = 32;
    private static final int ERROR = 88;
    private static final int TAG = 16;
    private static final int PROPERTIES = 120;
    private static final int ARRAY = 16;
    private static final int ENVIRONMENT = 24;
    private static final int FAILED_VARIABLE = 40;
    private static final int IDENTITY = 104;
    /** {@code VAULTLET_UNKNOWN}: a number that is not known. */
    private static final long UNKNOWN = Long.MIN_VALUE;

    private final ByteBuffer bytes;

    private StructReader(long address, int size) {
        this.bytes = ByteBuffer.wrap(Abi.read(address, size)).order(ByteOrder.nativeOrder());
    }

    /** Throws the error that a function returned, if it returned one. */
    static void check(long error) {
        if (error != 0) {
            throw takeError(error);
        }
    }

    /** Reads a {@code vaultlet_error} and frees it. */
    static VaultletException takeError(long address) {
        StructReader error = new StructReader(address, ERROR);
        int kind = error.bytes.getInt();
        int status = error.bytes.getInt();
        Long retryAfter = error.number();
        error.skip(1);
        VaultletException.Details details = new VaultletException.Details(
                Kind.numbered(kind), error.text(), error.text(), error.text(), status,
                error.text(), error.text(),
                retryAfter == null ? null : Duration.ofMillis(retryAfter),
                error.text(), error.attempts(), variables(address));
        Abi.vaultlet_error_free(address);
        return VaultletException.create(details);
    }

    private List<VaultletException.Attempt> attempts() {
        long address = bytes.getLong();
        int count = length();
        List<VaultletException.Attempt> attempts = new ArrayList<>(count);
        for (int at = 0; at < count; at++) {
            StructReader attempt = new StructReader(address + (long) at * ATTEMPT, ATTEMPT);
            attempts.add(new VaultletException.Attempt(
                    attempt.text(), attempt.text(), attempt.text(), attempt.text()));
        }
        return Collections.unmodifiableList(attempts);
    }

    private static List<VaultletException.FailedVariable> variables(long error) {
        try (Arguments arguments = new Arguments()) {
            long length = arguments.out();
            long first = Abi.vaultlet_error_variables(error, length);
            int count = Math.toIntExact(Arguments.valueOf(length));
            List<VaultletException.FailedVariable> variables = new ArrayList<>(count);
            for (int at = 0; at < count; at++) {
                long address = first + (long) at * FAILED_VARIABLE;
                StructReader it = new StructReader(address, FAILED_VARIABLE);
                String name = it.text();
                String id = it.text();
                Kind kind = Kind.numbered(it.bytes.getInt());
                it.bytes.getInt();
                it.skip(1);
                variables.add(
                        new VaultletException.FailedVariable(name, id, kind, it.text()));
            }
            return Collections.unmodifiableList(variables);
        }
    }

    /** Reads a {@code vaultlet_properties}. */
    static SecretProperties properties(long address) {
        StructReader it = new StructReader(address, PROPERTIES);
        String vault = it.text();
        String name = it.text();
        String version = it.text();
        String contentType = it.text();
        String recoveryLevel = it.text();
        String kid = it.text();
        Boolean enabled = it.truth();
        Boolean managed = it.truth();
        Instant created = it.time();
        Instant updated = it.time();
        Instant notBefore = it.time();
        Instant expires = it.time();
        Long days = it.number();
        return new SecretProperties(
                vault, name, version, contentType, enabled, created, updated, notBefore, expires,
                recoveryLevel, days == null ? null : Math.toIntExact(days), managed, kid,
                it.tags());
    }

    private Map<String, String> tags() {
        long address = bytes.getLong();
        int count = length();
        if (count == 0) {
            return Map.of();
        }
        Map<String, String> tags = new LinkedHashMap<>();
        for (int at = 0; at < count; at++) {
            StructReader tag = new StructReader(address + (long) at * TAG, TAG);
            tags.put(tag.text(), tag.text());
        }
        return Collections.unmodifiableMap(tags);
    }

    /** Reads a {@code vaultlet_listing}. */
    static List<SecretProperties> listing(long address) {
        StructReader it = new StructReader(address, ARRAY);
        long first = it.bytes.getLong();
        int count = it.length();
        List<SecretProperties> all = new ArrayList<>(count);
        for (int at = 0; at < count; at++) {
            all.add(properties(first + (long) at * PROPERTIES));
        }
        return Collections.unmodifiableList(all);
    }

    /** Reads the addresses of the secrets in a {@code vaultlet_secrets}. */
    static long[] secrets(long address) {
        StructReader it = new StructReader(address, ARRAY);
        long first = it.bytes.getLong();
        long[] all = new long[it.length()];
        if (all.length > 0) {
            new StructReader(first, Math.multiplyExact(all.length, Long.BYTES))
                    .bytes.asLongBuffer().get(all);
        }
        return all;
    }

    /** Reads the names in a {@code vaultlet_environment}, which begins with its secrets. */
    static List<String> names(long address) {
        StructReader it = new StructReader(address, ENVIRONMENT);
        it.skip(1);
        int count = it.length();
        return texts(it.bytes.getLong(), count);
    }

    /** Reads a {@code vaultlet_identity}. */
    static Identity identity(long address) {
        StructReader it = new StructReader(address, IDENTITY);
        return new Identity(
                it.text(), it.text(), it.text(), it.text(), it.text(), it.text(), it.text(),
                it.text(), it.text(), it.time(), it.time(), it.notes());
    }

    private List<String> notes() {
        long address = bytes.getLong();
        return texts(address, length());
    }

    private static List<String> texts(long address, int count) {
        List<String> texts = new ArrayList<>(count);
        for (int at = 0; at < count; at++) {
            texts.add(new StructReader(address + (long) at * Long.BYTES, Long.BYTES).text());
        }
        return Collections.unmodifiableList(texts);
    }

    private String text() {
        long address = bytes.getLong();
        return address == 0 ? null : Abi.text(address);
    }

    private Long number() {
        long number = bytes.getLong();
        return number == UNKNOWN ? null : number;
    }

    private Boolean truth() {
        Long number = number();
        return number == null ? null : number != 0;
    }

    private Instant time() {
        Long seconds = number();
        return seconds == null ? null : Instant.ofEpochSecond(seconds);
    }

    private int length() {
        return Math.toIntExact(bytes.getLong());
    }

    private void skip(int members) {
        bytes.position(bytes.position() + members * Long.BYTES);
    }
}
