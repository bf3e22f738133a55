package dev.vaultlet;

import static dev.vaultlet.LocalAzure.REFERENCE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** What fails says the same as the command line, in the type of its kind. */
class ErrorsTest {
    @Test
    void a_denied_secret_says_what_the_command_line_says() throws Exception {
        try (LocalAzure azure = LocalAzure.start("--grant", "managed:none");
                Vaultlet vaultlet = azure.open()) {
            DeniedException denied =
                    assertThrows(DeniedException.class, () -> vaultlet.get(REFERENCE));
            JsonNode line = azure.refused("get", "-o", "json", REFERENCE);
            assertSame(line, denied);
            assertEquals(Kind.DENIED, denied.kind());
            assertEquals(403, denied.status());
            assertEquals("ForbiddenByRbac", denied.code());
            assertTrue(denied.requestId() != null && !denied.requestId().isEmpty());
            assertNull(denied.retryAfter());
            assertEquals(denied.summary() + " [ForbiddenByRbac]; " + denied.help()
                    + " (vault-forbidden)", denied.getMessage());
            // Where it was asked for.
            assertEquals(Vaultlet.class.getName(), firstOutside(denied).getClassName());

            CompletionException late = assertThrows(CompletionException.class,
                    () -> vaultlet.getAsync(REFERENCE).join());
            assertSame(line, assertInstanceOf(DeniedException.class, late.getCause()));
        }
    }

    @Test
    void each_kind_has_its_type() throws Exception {
        try (LocalAzure azure = LocalAzure.start();
                Vaultlet vaultlet = azure.open()) {
            NotFoundException missing = assertThrows(NotFoundException.class,
                    () -> vaultlet.get("akv://my-key-vault/missing"));
            assertSame(azure.refused("get", "-o", "json", "akv://my-key-vault/missing"), missing);
            InvalidArgumentException malformed = assertThrows(InvalidArgumentException.class,
                    () -> vaultlet.get("akv://my-key-vault"));
            assertEquals("reference-malformed", malformed.id());
            assertEquals(0, malformed.status());
            InvalidArgumentException pointer = assertThrows(InvalidArgumentException.class,
                    () -> vaultlet.get("akv://my-key-vault/user?json=/missing"));
            assertEquals("pointer-missing", pointer.id());
        }
    }

    @Test
    void no_identity_lists_what_was_looked_for() {
        try (Vaultlet vaultlet = Vaultlet.builder()
                .variables(Map.of())
                .exclude("managed-identity", "azure-cli", "azure-developer-cli", "azure-powershell")
                .allowHttpLoopback(true)
                .open()) {
            NotConfiguredException none =
                    assertThrows(NotConfiguredException.class, () -> vaultlet.token());
            assertEquals("no-identity", none.id());
            assertTrue(none.attempts().stream().anyMatch(it ->
                    it.source().equals("environment") && it.outcome().equals("not-configured")));
        }
    }

    @Test
    void settings_are_refused_by_open() {
        ConfigurationException cloud = assertThrows(ConfigurationException.class,
                () -> Vaultlet.builder().cloud("mars").open());
        assertEquals("setting-malformed", cloud.id());
        assertThrows(ConfigurationException.class,
                () -> Vaultlet.builder().concurrency(0).open());
        assertThrows(VaultletException.class,
                () -> Vaultlet.builder().clientId("a").objectId("b").open().token());
    }

    @Test
    void time_runs_out() throws Exception {
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = Vaultlet.builder()
                        .variables(Map.of()).allowHttpLoopback(true).open()) {
            CallOptions options = CallOptions.NONE.withTimeout(Duration.ofMillis(50));
            CallTimeoutException late = assertThrows(CallTimeoutException.class,
                    () -> vaultlet.get(stalled.reference(), options));
            assertEquals("timeout", late.id());
        }
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = Vaultlet.builder().variables(Map.of())
                        .allowHttpLoopback(true).timeout(Duration.ofMillis(1050)).open()) {
            assertThrows(CallTimeoutException.class, () -> vaultlet.get(stalled.reference()));
        }
    }

    @Test
    void what_java_refuses() throws Exception {
        try (LocalAzure azure = LocalAzure.start()) {
            Vaultlet vaultlet = azure.open();
            assertThrows(NullPointerException.class, () -> vaultlet.get(null));
            assertThrows(IllegalArgumentException.class, () -> vaultlet.get("akv://v/a\0b"));
            assertThrows(IllegalArgumentException.class, () ->
                    vaultlet.get(REFERENCE, CallOptions.NONE.withClientId("a\0b")));
            assertThrows(IllegalArgumentException.class, () ->
                    CallOptions.NONE.withTimeout(Duration.ZERO));
            Secret secret = vaultlet.get(REFERENCE);
            vaultlet.close();
            vaultlet.close();
            assertThrows(IllegalStateException.class, () -> vaultlet.get(REFERENCE));
            assertThrows(IllegalStateException.class, () -> vaultlet.plan());
            assertEquals(LocalAzure.VALUE, secret.reveal());
            secret.close();
            secret.close();
            assertThrows(IllegalStateException.class, secret::reveal);
            assertTrue(secret.toString().startsWith("akv://"));
        }
    }

    @Test
    void another_abi_is_refused() {
        Abi abi = Library.abi();
        try (Arguments arguments = new Arguments(abi)) {
            long out = arguments.out();
            ConfigurationException refused = assertThrows(ConfigurationException.class, () ->
                    VaultletBuilder.check(abi, abi.vaultlet_open(Abi.VERSION + 1, 0, out)));
            assertEquals("abi-mismatch", refused.id());
            assertEquals(0, arguments.at(out));
        }
    }

    @Test
    void errors_can_be_sent_elsewhere() throws Exception {
        NotConfiguredException failed;
        try (Vaultlet vaultlet =
                Vaultlet.builder().variables(Map.of()).identity("environment").open()) {
            failed = assertThrows(NotConfiguredException.class, () -> vaultlet.token());
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            stream.writeObject(failed);
        }
        ObjectInputStream stream =
                new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()));
        NotConfiguredException again = (NotConfiguredException) stream.readObject();
        assertEquals(failed.getMessage(), again.getMessage());
        assertEquals(failed.attempts(), again.attempts());
    }

    private static void assertSame(JsonNode line, VaultletException thrown) {
        assertEquals(line.get("id").asText(), thrown.id());
        assertEquals(line.get("kind").asText(), thrown.kind().toString());
        assertEquals(line.get("message").asText(), thrown.summary());
        assertEquals(line.get("help").asText(), thrown.help());
        assertEquals(line.get("status").asInt(), thrown.status());
        assertEquals(line.path("code").asText(""), thrown.code() == null ? "" : thrown.code());
        assertFalse(thrown.getMessage().contains("\n"));
    }

    private static StackTraceElement firstOutside(Throwable thrown) {
        for (StackTraceElement element : thrown.getStackTrace()) {
            if (!element.getClassName().equals(Call.class.getName())) {
                return element;
            }
        }
        throw new AssertionError("no stack");
    }
}
