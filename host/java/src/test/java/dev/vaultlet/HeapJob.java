package dev.vaultlet;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A program that prints whether the value is in its heap, before and after it is revealed. */
final class HeapJob {
    private HeapJob() {}

    public static void main(String[] arguments) throws Exception {
        try (Vaultlet vaultlet = Vaultlet.open();
                Secret secret = vaultlet.get("akv://my-key-vault/db-password")) {
            System.out.print(inHeap() ? "shown" : "hidden");
            String value = secret.reveal();
            System.out.print(inHeap() ? " revealed" : " lost");
            if (value.isEmpty()) {
                throw new AssertionError("the value stays reachable until here");
            }
        }
    }

    private static boolean inHeap() throws Exception {
        Path folder = Files.createTempDirectory("vaultlet-heap");
        Path dump = folder.resolve("heap.hprof");
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .dumpHeap(dump.toString(), false);
        String heap = new String(Files.readAllBytes(dump), StandardCharsets.ISO_8859_1);
        Files.delete(dump);
        Files.delete(folder);
        // In two parts, so that the program's own constants do not contain the value.
        String first = "correct horse ";
        for (int at = heap.indexOf(first); at >= 0; at = heap.indexOf(first, at + 1)) {
            if (heap.startsWith("battery staple", at + first.length())) {
                return true;
            }
        }
        return false;
    }
}
