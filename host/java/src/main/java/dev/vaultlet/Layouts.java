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

/** Reads the structures of {@code vaultlet.h}, whose layouts never change, on 64-bit systems. */
final class Layouts {
    private static final int ATTEMPT = 32;
    private static final int ERROR = 88;
    private static final int TAG = 16;
    private static final int PROPERTIES = 120;
    private static final int SEQUENCE = 16;
    private static final int IDENTITY = 104;
    private static final long UNKNOWN = Long.MIN_VALUE;

    private final Abi abi;
    private final ByteBuffer bytes;

    private Layouts(Abi abi, long address, int size) {
        this.abi = abi;
        this.bytes = ByteBuffer.wrap(abi.read(address, size)).order(ByteOrder.nativeOrder());
    }

    /** A {@code vaultlet_error}, which is still the caller's to free. */
    static VaultletException error(Abi abi, long address) {
        Layouts error = new Layouts(abi, address, ERROR);
        int kind = error.bytes.getInt();
        int status = error.bytes.getInt();
        Long retryAfter = error.number();
        error.skip(1);
        VaultletException.Details details = new VaultletException.Details(
                Kind.of(kind), error.text(), error.text(), error.text(), status, error.text(),
                error.text(), retryAfter == null ? null : Duration.ofMillis(retryAfter),
                error.text(), error.attempts());
        return VaultletException.of(details);
    }

    private List<VaultletException.Attempt> attempts() {
        long address = bytes.getLong();
        int count = length();
        List<VaultletException.Attempt> attempts = new ArrayList<>(count);
        for (int at = 0; at < count; at++) {
            Layouts attempt = new Layouts(abi, address + (long) at * ATTEMPT, ATTEMPT);
            attempts.add(new VaultletException.Attempt(
                    attempt.text(), attempt.text(), attempt.text(), attempt.text()));
        }
        return Collections.unmodifiableList(attempts);
    }

    /** A {@code vaultlet_properties}. */
    static SecretProperties properties(Abi abi, long address) {
        Layouts it = new Layouts(abi, address, PROPERTIES);
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
            Layouts tag = new Layouts(abi, address + (long) at * TAG, TAG);
            tags.put(tag.text(), tag.text());
        }
        return Collections.unmodifiableMap(tags);
    }

    /** A {@code vaultlet_listing}. */
    static List<SecretProperties> listing(Abi abi, long address) {
        Layouts it = new Layouts(abi, address, SEQUENCE);
        long first = it.bytes.getLong();
        int count = it.length();
        List<SecretProperties> all = new ArrayList<>(count);
        for (int at = 0; at < count; at++) {
            all.add(properties(abi, first + (long) at * PROPERTIES));
        }
        return Collections.unmodifiableList(all);
    }

    /** The addresses in a {@code vaultlet_secrets}. */
    static long[] secrets(Abi abi, long address) {
        Layouts it = new Layouts(abi, address, SEQUENCE);
        long first = it.bytes.getLong();
        long[] all = new long[it.length()];
        if (all.length > 0) {
            new Layouts(abi, first, Math.multiplyExact(all.length, Long.BYTES))
                    .bytes.asLongBuffer().get(all);
        }
        return all;
    }

    /** A {@code vaultlet_identity}. */
    static Identity identity(Abi abi, long address) {
        Layouts it = new Layouts(abi, address, IDENTITY);
        return new Identity(
                it.text(), it.text(), it.text(), it.text(), it.text(), it.text(), it.text(),
                it.text(), it.text(), it.time(), it.time(), it.notes());
    }

    private List<String> notes() {
        long address = bytes.getLong();
        int count = length();
        List<String> notes = new ArrayList<>(count);
        for (int at = 0; at < count; at++) {
            notes.add(new Layouts(abi, address + (long) at * Long.BYTES, Long.BYTES).text());
        }
        return Collections.unmodifiableList(notes);
    }

    /** The members in their order, each read once. */
    private String text() {
        long address = bytes.getLong();
        return address == 0 ? null : abi.text(address);
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
