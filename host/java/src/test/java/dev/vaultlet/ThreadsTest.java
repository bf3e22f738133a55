package dev.vaultlet;

import static dev.vaultlet.LocalAzure.REFERENCE;
import static dev.vaultlet.LocalAzure.VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Many threads, and calls that are ended before their time. */
class ThreadsTest {
    private static final int THREADS = 16;
    private static final int CALLS = "1".equals(System.getenv("VAULTLET_TEST_FULL")) ? 1000 : 100;

    @Test
    void many_threads_with_cancellations_and_deadlines() throws Exception {
        try (LocalAzure azure = LocalAzure.start();
                Vaultlet vaultlet = azure.open()) {
            ExecutorService executor = Executors.newFixedThreadPool(THREADS);
            List<Future<Integer>> threads = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                threads.add(executor.submit(() -> calls(vaultlet)));
            }
            int values = 0;
            for (Future<Integer> thread : threads) {
                values += thread.get();
            }
            executor.shutdown();
            // Six of ten calls are let be.
            assertTrue(values >= THREADS * CALLS * 6 / 10, values + " values");
            assertEquals(1, azure.counters().at("/identity/azure-ml").asInt());
        }
    }

    /** How many values were had. */
    private static int calls(Vaultlet vaultlet) throws Exception {
        Cancellation cancelled = new Cancellation();
        cancelled.cancel();
        int values = 0;
        for (int call = 0; call < CALLS; call++) {
            switch (call % 10) {
                case 2 -> assertThrows(CancelledException.class, () -> vaultlet.get(
                        REFERENCE, CallOptions.NONE.withCancellation(cancelled)));
                case 4 -> {
                    CompletableFuture<Secret> future = vaultlet.getAsync(REFERENCE);
                    // It may have ended before.
                    if (future.cancel(true)) {
                        assertThrows(CancellationException.class, future::join);
                    } else {
                        future.join().close();
                    }
                }
                case 6 -> {
                    Cancellation later = new Cancellation();
                    CompletableFuture<Secret> future = vaultlet.getAsync(
                            REFERENCE, CallOptions.NONE.withCancellation(later));
                    later.cancel();
                    values += valueOr(CancelledException.class, future);
                }
                case 8 -> values += valueOr(CallTimeoutException.class, vaultlet.getAsync(
                        REFERENCE, CallOptions.NONE.withTimeout(Duration.ofMillis(1))));
                default -> values += valueOr(AssertionError.class, vaultlet.getAsync(REFERENCE));
            }
        }
        return values;
    }

    private static int valueOr(Class<? extends Throwable> expected, CompletableFuture<Secret> call)
            throws InterruptedException {
        try (Secret secret = call.get()) {
            assertEquals(VALUE, secret.reveal());
            return 1;
        } catch (ExecutionException ended) {
            assertInstanceOf(expected, ended.getCause());
            return 0;
        }
    }

    @Test
    void an_interrupted_thread_ends_its_call() throws Exception {
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = open()) {
            CompletableFuture<Boolean> marked = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                try {
                    CancelledException ended = assertThrows(CancelledException.class,
                            () -> vaultlet.get(stalled.reference()));
                    assertEquals("cancelled", ended.id());
                    assertEquals("getting a secret: the thread was interrupted (cancelled)",
                            ended.getMessage());
                    marked.complete(Thread.currentThread().isInterrupted());
                } catch (Throwable failed) {
                    marked.completeExceptionally(failed);
                }
            });
            thread.start();
            stalled.asked();
            thread.interrupt();
            assertTrue(marked.get(), "the thread is marked as interrupted");
        }
    }

    @Test
    void an_interrupt_at_any_time_ends_a_call_or_is_kept() throws Exception {
        try (LocalAzure azure = LocalAzure.start();
                Vaultlet vaultlet = azure.open()) {
            Thread.currentThread().interrupt();
            assertThrows(CancelledException.class, () -> vaultlet.get(REFERENCE));
            assertTrue(Thread.interrupted(), "it was marked before");
            CompletableFuture<Integer> ended = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                int interrupts = 0;
                try {
                    for (int call = 0; call < 5 * CALLS; call++) {
                        try (Secret secret = vaultlet.get(REFERENCE)) {
                            assertEquals(VALUE, secret.reveal());
                        } catch (CancelledException interrupted) {
                            assertTrue(Thread.interrupted(), interrupted.getMessage());
                            assertTrue(interrupted.getMessage().contains("interrupted"));
                            interrupts += 1;
                        }
                    }
                    ended.complete(interrupts);
                } catch (Throwable failed) {
                    ended.completeExceptionally(failed);
                }
            });
            thread.start();
            while (!ended.isDone()) {
                thread.interrupt();
                Thread.sleep(0, 100_000);
            }
            assertTrue(ended.get() > 0, "none was interrupted");
        }
    }

    @Test
    @Timeout(60)
    void a_thread_that_waits_makes_none_of_the_library_known_to_java() throws Exception {
        try (LocalAzure azure = LocalAzure.start()) {
            Vaultlet vaultlet = azure.open();
            Set<Thread> before = notStartedByJava();
            vaultlet.get(REFERENCE).close();
            vaultlet.getMany(REFERENCE, REFERENCE).close();
            vaultlet.list("my-key-vault");
            vaultlet.versions(REFERENCE);
            vaultlet.token().close();
            vaultlet.whoami();
            assertThrows(NotFoundException.class, () -> vaultlet.get("akv://my-key-vault/missing"));
            assertEquals(Set.of(), since(before));
            // Futures do, for as long as it is open.
            vaultlet.getAsync(REFERENCE).get().close();
            assertFalse(since(before).isEmpty(), "it would be seen");
            vaultlet.close();
            while (!since(before).isEmpty()) {
                Thread.sleep(1);
            }
        }
    }

    private static Set<Thread> since(Set<Thread> before) {
        Set<Thread> threads = notStartedByJava();
        threads.removeAll(before);
        return threads;
    }

    /** Those that return to no {@code run()}: {@code main}, and those of native libraries. */
    private static Set<Thread> notStartedByJava() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(it -> !returnsToRun(it.getValue()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    private static boolean returnsToRun(StackTraceElement[] stack) {
        return stack.length > 0 && stack[stack.length - 1].getMethodName().equals("run");
    }

    @Test
    @Timeout(60)
    void a_thread_of_the_library_does_not_wait_for_itself() throws Exception {
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = Vaultlet.builder().variables(Map.of())
                        .allowHttpLoopback(true).executor(Runnable::run).open()) {
            Cancellation cancellation = new Cancellation();
            CompletableFuture<String> refused = vaultlet
                    .getAsync(stalled.reference(), CallOptions.NONE.withCancellation(cancellation))
                    .handle((secret, ended) -> assertThrows(UsageException.class,
                            () -> vaultlet.get(stalled.reference())).id());
            stalled.asked();
            cancellation.cancel();
            assertEquals("blocking-call", refused.get());
        }
    }

    @Test
    void a_cancellation_ends_all_its_calls_and_those_to_come() throws Exception {
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = open()) {
            Cancellation cancellation = new Cancellation();
            CallOptions options = CallOptions.NONE.withCancellation(cancellation);
            List<CompletableFuture<Secret>> calls = new ArrayList<>();
            for (int call = 0; call < 3; call++) {
                calls.add(vaultlet.getAsync(stalled.reference(), options));
                stalled.asked();
            }
            cancellation.cancel();
            for (CompletableFuture<Secret> call : calls) {
                ExecutionException ended = assertThrows(ExecutionException.class, call::get);
                assertInstanceOf(CancelledException.class, ended.getCause());
            }
            assertThrows(CancelledException.class,
                    () -> vaultlet.token(TokenRequest.KEY_VAULT, options));
            assertTrue(cancellation.isCancelled());
        }
    }

    @Test
    void a_future_that_nobody_waits_for_any_more_ends_its_call() throws Exception {
        // With one call at a time, the next one shows that the one before has ended.
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = Vaultlet.builder().variables(Map.of())
                        .allowHttpLoopback(true).concurrency(1).open()) {
            CompletableFuture<Secret> cancelled = vaultlet.getAsync(stalled.reference());
            stalled.asked();
            assertTrue(cancelled.cancel(true));
            CompletableFuture<Secret> late = vaultlet.getAsync(stalled.reference());
            stalled.asked();
            late.orTimeout(1, TimeUnit.MILLISECONDS);
            ExecutionException ended = assertThrows(ExecutionException.class, late::get);
            assertInstanceOf(TimeoutException.class, ended.getCause());
            CompletableFuture<Secret> last = vaultlet.getAsync(stalled.reference());
            stalled.asked();
            last.cancel(true);
        }
    }

    @Test
    void calls_go_on_when_it_is_closed() throws Exception {
        try (LocalAzure azure = LocalAzure.start()) {
            Vaultlet vaultlet = azure.open();
            CompletableFuture<Secret> call = vaultlet.getAsync(REFERENCE);
            vaultlet.close();
            try (Secret secret = call.get()) {
                assertEquals(VALUE, secret.reveal());
            }
        }
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "there are none before")
    void virtual_threads_wait_without_holding_others_up() throws Exception {
        ExecutorService executor = (ExecutorService) Executors.class
                .getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = open()) {
            Cancellation cancellation = new Cancellation();
            CallOptions options = CallOptions.NONE.withCancellation(cancellation);
            List<Future<Secret>> waiting = new ArrayList<>();
            // More than there are processors to carry them.
            for (int call = 0; call < 4 * Runtime.getRuntime().availableProcessors(); call++) {
                waiting.add(executor.submit(() -> vaultlet.get(stalled.reference(), options)));
                stalled.asked();
            }
            cancellation.cancel();
            for (Future<Secret> call : waiting) {
                ExecutionException ended = assertThrows(ExecutionException.class, call::get);
                assertInstanceOf(CancelledException.class, ended.getCause());
            }
        } finally {
            executor.shutdown();
        }
    }

    private static Vaultlet open() {
        return Vaultlet.builder().variables(Map.of()).allowHttpLoopback(true).open();
    }
}
