import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/** {@code Peer sdk|ours cold NAME | warm-same CALLS | warm-diff CALLS | conc CALLERS CALLS}. */
public class Peer {
    interface Client {
        String get(String name);
    }

    private static Client client;

    public static void main(String[] arguments) throws Exception {
        long start = System.nanoTime();
        client = arguments[0].equals("ours") ? new Ours() : new Sdk();
        switch (arguments[1]) {
            case "cold" -> System.out.println(client.get(arguments[2]));
            case "warm-same" -> warm(start, Integer.parseInt(arguments[2]), false);
            case "warm-diff" -> warm(start, Integer.parseInt(arguments[2]), true);
            case "conc" -> {
                int callers = Integer.parseInt(arguments[2]);
                int calls = Integer.parseInt(arguments[3]);
                all(callers, calls / 5);
                long faults = faults();
                long wall = System.nanoTime();
                long cpu = cpu();
                long[] durations = all(callers, calls);
                report(0, 0, durations, System.nanoTime() - wall, cpu() - cpu, faults() - faults);
            }
            default -> throw new IllegalArgumentException(arguments[1]);
        }
        // The SDK's threads would delay the end of the process.
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void warm(long start, int calls, boolean different) throws Exception {
        long first = call("s0");
        long imported = System.nanoTime() - start;
        long[] durations = new long[calls];
        long faults = faults();
        long wall = System.nanoTime();
        long cpu = cpu();
        for (int i = 0; i < calls; i++) {
            durations[i] = call(different ? "s" + (i + 1) : "s0");
        }
        report(first, imported, durations, System.nanoTime() - wall, cpu() - cpu, faults() - faults);
    }

    private static long[] all(int callers, int calls) throws Exception {
        long[] durations = new long[calls];
        AtomicInteger next = new AtomicInteger();
        Thread[] threads = new Thread[callers];
        for (int at = 0; at < callers; at++) {
            threads[at] = new Thread(() -> {
                for (int i = next.getAndIncrement(); i < calls; i = next.getAndIncrement()) {
                    durations[i] = call("s" + i);
                }
            });
            threads[at].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return durations;
    }

    private static long call(String name) {
        long begun = System.nanoTime();
        String value = client.get(name);
        long duration = System.nanoTime() - begun;
        if (!value.equals("value-of-" + name + "-0123456789abcdef0123456789abcdef")) {
            throw new IllegalStateException(name + " came back with another value");
        }
        return duration;
    }

    private static void report(long first, long imported, long[] durations, long wall, long cpu, long faults)
        throws Exception {
        Arrays.sort(durations);
        int length = durations.length;
        double p99 = durations[Math.min(length * 99 / 100, length - 1)];
        String statm = Files.readString(Path.of("/proc/self/statm"));
        long rss = Long.parseLong(statm.split(" ")[1]) * 4;
        System.out.printf(
            java.util.Locale.ROOT,
            "{\"calls\":%d,\"first_us\":%f,\"import_us\":%f,\"median_us\":%f,\"p99_us\":%f,\"wall_us\":%f,\"cpu_us\":%f,\"faults\":%d,\"rss_kib\":%d}%n",
            length, first / 1e3, imported / 1e3, durations[length / 2] / 1e3, p99 / 1e3, wall / 1e3, cpu / 1e3, faults, rss);
    }

    /** User and system time of the process, in nanoseconds: clock ticks are 10 ms. */
    private static long cpu() throws Exception {
        return (stat(14) + stat(15)) * 10_000_000;
    }

    /** Minor page faults of the process. */
    private static long faults() throws Exception {
        return stat(10);
    }

    /** A field of the process's statistics, as proc(5) counts them. */
    private static long stat(int field) throws Exception {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        String[] after = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return Long.parseLong(after[field - 3]);
    }
}
