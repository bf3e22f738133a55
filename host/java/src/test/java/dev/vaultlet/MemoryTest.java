package dev.vaultlet;

import static dev.vaultlet.LocalAzure.REFERENCE;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Handles and secrets leave no memory behind. The heap has a fixed size, see the POM. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the memory of the process is read from /proc")
class MemoryTest {
    private static final boolean FULL = "1".equals(System.getenv("VAULTLET_TEST_FULL"));
    private static final long ALLOWED = 16 << 20;

    /** The bound is low enough to find a buffer of 64 KiB or a thread that each cycle leaves. */
    @Test
    void opening_and_closing_a_handle_leaves_no_memory() throws Exception {
        int cycles = FULL ? 10_000 : 200;
        try (LocalAzure azure = LocalAzure.start()) {
            flat("open and close", cycles, () -> azure.open().close());
        }
    }

    @Test
    void closed_and_unreachable_secrets_leave_no_memory() throws Exception {
        int cycles = FULL ? 10_000 : 300;
        try (LocalAzure azure = LocalAzure.start();
                Vaultlet vaultlet = azure.open()) {
            flat("get", cycles, () -> {
                vaultlet.get(REFERENCE).close();
                vaultlet.get(REFERENCE).revealBytes();
                try (SecretList both = vaultlet.getMany(REFERENCE, REFERENCE)) {
                    both.get(0).close();
                }
                try {
                    vaultlet.get("akv://my-key-vault/missing");
                } catch (VaultletException.NotFound expected) {
                    return;
                }
                throw new AssertionError("the secret is missing");
            });
        }
    }

    private static void flat(String what, int cycles, Runnable cycle) throws Exception {
        // Warm-up: the compiler and the allocator take memory of their own.
        for (int warming = 0; warming < cycles / 5; warming++) {
            cycle.run();
        }
        System.gc();
        long before = resident();
        for (int at = 0; at < cycles; at++) {
            cycle.run();
        }
        System.gc();
        long grown = resident() - before;
        System.out.println(what + ", " + cycles + " times: " + (grown >> 10) + " KiB more");
        assertTrue(grown < ALLOWED, what + ": " + grown + " bytes more");
    }

    private static long resident() throws Exception {
        String[] pages = Files.readString(Path.of("/proc/self/statm")).split(" ");
        return Long.parseLong(pages[1]) * 4096;
    }
}
