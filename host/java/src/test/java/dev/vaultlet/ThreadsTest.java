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

/** Threads, and calls that are cancelled. */
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
            // Six of ten calls are not disturbed.
            assertTrue(values >= THREADS * CALLS * 6 / 10, values + " values");
            assertEquals(1, azure.counters().at("/identity/azure-ml").asInt());
        }
    }

    /** Returns how many calls returned the value. */
    private static int calls(Vaultlet vaultlet) throws Exception {
        Cancellation cancelled = new Cancellation();
        cancelled.cancel();
        int values = 0;
        for (int call = 0; call < CALLS; call++) {
            switch (call % 10) {
                case 2 -> assertThrows(VaultletException.Cancelled.class, () -> vaultlet.get(
                        REFERENCE, CallOptions.NONE.withCancellation(cancelled)));
                case 4 -> {
                    CompletableFuture<Secret> future = vaultlet.getAsync(REFERENCE);
                    // The call may have ended before.
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
                    values += valueOr(VaultletException.Cancelled.class, future);
                }
                case 8 -> values += valueOr(VaultletException.Timeout.class, vaultlet.getAsync(
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
    void interrupting_a_thread_ends_its_call() throws Exception {
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = open()) {
            CompletableFuture<Boolean> marked = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                try {
                    VaultletException ended = assertThrows(VaultletException.Cancelled.class,
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
            stalled.awaitRequest();
            thread.interrupt();
            assertTrue(marked.get(), "the thread is marked as interrupted");
        }
    }

    @Test
    void an_interrupt_is_never_lost() throws Exception {
        try (LocalAzure azure = LocalAzure.start();
                Vaultlet vaultlet = azure.open()) {
            Thread.currentThread().interrupt();
            assertThrows(VaultletException.Cancelled.class, () -> vaultlet.get(REFERENCE));
            assertTrue(Thread.interrupted(), "the thread stays marked");
            CompletableFuture<Integer> ended = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                int interrupts = 0;
                try {
                    for (int call = 0; call < 5 * CALLS; call++) {
                        try (Secret secret = vaultlet.get(REFERENCE)) {
                            assertEquals(VALUE, secret.reveal());
                        } catch (VaultletException.Cancelled interrupted) {
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
            assertTrue(ended.get() > 0, "no call was interrupted");
        }
    }

    @Test
    @Timeout(60)
    void blocking_calls_attach_no_thread_of_the_library_to_java() throws Exception {
        try (LocalAzure azure = LocalAzure.start()) {
            Vaultlet vaultlet = azure.open();
            Set<Thread> before = notStartedByJava();
            vaultlet.get(REFERENCE).close();
            vaultlet.getMany(REFERENCE, REFERENCE).close();
            vaultlet.list("my-key-vault");
            vaultlet.versions(REFERENCE);
            vaultlet.token().close();
            vaultlet.whoami();
            assertThrows(VaultletException.NotFound.class,
                    () -> vaultlet.get("akv://my-key-vault/missing"));
            assertEquals(Set.of(), since(before));
            // Futures attach threads, until the handle is closed.
            vaultlet.getAsync(REFERENCE).get().close();
            assertFalse(since(before).isEmpty(), "an attached thread is seen");
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

    /** Threads whose lowest frame is not {@code run()}: the main thread and native ones. */
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
    void a_blocking_call_on_a_thread_of_the_library_is_refused() throws Exception {
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = Vaultlet.builder().variables(Map.of())
                        .allowHttpLoopback(true).executor(Runnable::run).open()) {
            Cancellation cancellation = new Cancellation();
            CompletableFuture<String> refused = vaultlet
                    .getAsync(stalled.reference(), CallOptions.NONE.withCancellation(cancellation))
                    .handle((secret, ended) -> assertThrows(VaultletException.Usage.class,
                            () -> vaultlet.get(stalled.reference())).id());
            stalled.awaitRequest();
            cancellation.cancel();
            assertEquals("blocking-call", refused.get());
        }
    }

    @Test
    void a_cancellation_ends_running_and_later_calls() throws Exception {
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = open()) {
            Cancellation cancellation = new Cancellation();
            CallOptions options = CallOptions.NONE.withCancellation(cancellation);
            List<CompletableFuture<Secret>> calls = new ArrayList<>();
            for (int call = 0; call < 3; call++) {
                calls.add(vaultlet.getAsync(stalled.reference(), options));
                stalled.awaitRequest();
            }
            cancellation.cancel();
            for (CompletableFuture<Secret> call : calls) {
                ExecutionException ended = assertThrows(ExecutionException.class, call::get);
                assertInstanceOf(VaultletException.Cancelled.class, ended.getCause());
            }
            assertThrows(VaultletException.Cancelled.class,
                    () -> vaultlet.token(TokenRequest.KEY_VAULT, options));
            assertTrue(cancellation.isCancelled());
        }
    }

    @Test
    void cancelling_or_timing_out_a_future_ends_its_call() throws Exception {
        // With a concurrency of one, the next request shows that the previous call has ended.
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = Vaultlet.builder().variables(Map.of())
                        .allowHttpLoopback(true).concurrency(1).open()) {
            CompletableFuture<Secret> cancelled = vaultlet.getAsync(stalled.reference());
            stalled.awaitRequest();
            assertTrue(cancelled.cancel(true));
            CompletableFuture<Secret> late = vaultlet.getAsync(stalled.reference());
            stalled.awaitRequest();
            late.orTimeout(1, TimeUnit.MILLISECONDS);
            ExecutionException ended = assertThrows(ExecutionException.class, late::get);
            assertInstanceOf(TimeoutException.class, ended.getCause());
            CompletableFuture<Secret> last = vaultlet.getAsync(stalled.reference());
            stalled.awaitRequest();
            last.cancel(true);
        }
    }

    @Test
    void running_calls_end_normally_after_close() throws Exception {
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
    @EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "there are no virtual threads")
    void waiting_virtual_threads_do_not_block_their_carriers() throws Exception {
        ExecutorService executor = (ExecutorService) Executors.class
                .getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = open()) {
            Cancellation cancellation = new Cancellation();
            CallOptions options = CallOptions.NONE.withCancellation(cancellation);
            List<Future<Secret>> waiting = new ArrayList<>();
            // More virtual threads than carriers.
            for (int call = 0; call < 4 * Runtime.getRuntime().availableProcessors(); call++) {
                waiting.add(executor.submit(() -> vaultlet.get(stalled.reference(), options)));
                stalled.awaitRequest();
            }
            cancellation.cancel();
            for (Future<Secret> call : waiting) {
                ExecutionException ended = assertThrows(ExecutionException.class, call::get);
                assertInstanceOf(VaultletException.Cancelled.class, ended.getCause());
            }
        } finally {
            executor.shutdown();
        }
    }

    private static Vaultlet open() {
        return Vaultlet.builder().variables(Map.of()).allowHttpLoopback(true).open();
    }
}
