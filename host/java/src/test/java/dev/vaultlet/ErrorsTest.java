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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** Exceptions say what the command line says, and each kind has a class of its own. */
class ErrorsTest {
    @Test
    void an_exception_says_what_the_command_line_says() throws Exception {
        try (LocalAzure azure = LocalAzure.start("--grant", "managed:none");
                Vaultlet vaultlet = azure.open()) {
            VaultletException.Denied denied =
                    assertThrows(VaultletException.Denied.class, () -> vaultlet.get(REFERENCE));
            JsonNode line = azure.refused("get", "-o", "json", REFERENCE);
            assertSame(line, denied);
            assertEquals(Kind.DENIED, denied.kind());
            assertEquals(403, denied.status());
            assertEquals("ForbiddenByRbac", denied.code());
            assertTrue(denied.requestId() != null && !denied.requestId().isEmpty());
            assertNull(denied.retryAfter());
            assertEquals(denied.summary() + " [ForbiddenByRbac]; " + denied.help()
                    + " (vault-forbidden)", denied.getMessage());
            // The stack is that of the caller.
            assertEquals(Vaultlet.class.getName(), firstOutside(denied).getClassName());

            CompletionException late = assertThrows(CompletionException.class,
                    () -> vaultlet.getAsync(REFERENCE).join());
            assertSame(line, assertInstanceOf(VaultletException.Denied.class, late.getCause()));
        }
    }

    @Test
    void errors_of_a_vault_and_of_a_reference_have_their_classes() throws Exception {
        try (LocalAzure azure = LocalAzure.start();
                Vaultlet vaultlet = azure.open()) {
            VaultletException.NotFound missing = assertThrows(VaultletException.NotFound.class,
                    () -> vaultlet.get("akv://my-key-vault/missing"));
            assertSame(azure.refused("get", "-o", "json", "akv://my-key-vault/missing"), missing);
            VaultletException malformed = assertThrows(VaultletException.InvalidArgument.class,
                    () -> vaultlet.get("akv://my-key-vault"));
            assertEquals("reference-malformed", malformed.id());
            assertEquals(0, malformed.status());
            VaultletException pointer = assertThrows(VaultletException.InvalidArgument.class,
                    () -> vaultlet.get("akv://my-key-vault/user?json=/missing"));
            assertEquals("pointer-missing", pointer.id());
        }
    }

    @Test
    void each_kind_has_a_class_of_its_name() {
        for (Kind kind : Kind.values()) {
            VaultletException thrown = VaultletException.create(new VaultletException.Details(
                    kind, "an-id", "summary", "help", 0, null, null, null, "line", List.of(), List.of()));
            assertEquals(kind, thrown.kind());
            String name = thrown.getClass().getSimpleName();
            String expected = kind == Kind.UNKNOWN ? "VaultletException" : kind.toString();
            assertEquals(expected.replace("-", "").toLowerCase(Locale.ROOT),
                    name.toLowerCase(Locale.ROOT));
        }
    }

    @Test
    void without_an_identity_the_attempts_are_listed() {
        try (Vaultlet vaultlet = Vaultlet.builder()
                .variables(Map.of())
                .exclude("managed-identity", "azure-cli", "azure-developer-cli", "azure-powershell")
                .allowHttpLoopback(true)
                .open()) {
            VaultletException.NotConfigured none =
                    assertThrows(VaultletException.NotConfigured.class, () -> vaultlet.token());
            assertEquals("no-identity", none.id());
            assertTrue(none.attempts().stream().anyMatch(it ->
                    it.source().equals("environment") && it.outcome().equals("not-configured")));
        }
    }

    @Test
    void open_rejects_malformed_settings() {
        VaultletException.Configuration cloud = assertThrows(VaultletException.Configuration.class,
                () -> Vaultlet.builder().cloud("mars").open());
        assertEquals("setting-malformed", cloud.id());
        assertThrows(VaultletException.Configuration.class,
                () -> Vaultlet.builder().concurrency(0).open());
        assertThrows(VaultletException.class,
                () -> Vaultlet.builder().clientId("a").objectId("b").open().token());
    }

    @Test
    void a_call_ends_after_its_timeout_or_that_of_the_handle() throws Exception {
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = Vaultlet.builder()
                        .variables(Map.of()).allowHttpLoopback(true).open()) {
            CallOptions options = CallOptions.NONE.withTimeout(Duration.ofMillis(50));
            VaultletException.Timeout late = assertThrows(VaultletException.Timeout.class,
                    () -> vaultlet.get(stalled.reference(), options));
            assertEquals("timeout", late.id());
        }
        try (Stalled stalled = new Stalled();
                Vaultlet vaultlet = Vaultlet.builder().variables(Map.of())
                        .allowHttpLoopback(true).timeout(Duration.ofMillis(1050)).open()) {
            assertThrows(VaultletException.Timeout.class, () -> vaultlet.get(stalled.reference()));
        }
    }

    @Test
    void misuse_throws_the_usual_exceptions_of_java() throws Exception {
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
    void another_version_of_the_abi_is_rejected() {
        try (Arguments arguments = new Arguments()) {
            long out = arguments.out();
            VaultletException refused = assertThrows(VaultletException.Configuration.class, () ->
                    StructReader.check(Abi.vaultlet_open(Abi.VERSION + 1, 0, out)));
            assertEquals("abi-mismatch", refused.id());
            assertEquals(0, Arguments.valueOf(out));
        }
    }

    @Test
    void an_exception_can_be_serialised() throws Exception {
        VaultletException.NotConfigured failed;
        try (Vaultlet vaultlet =
                Vaultlet.builder().variables(Map.of()).identity("environment").open()) {
            failed = assertThrows(VaultletException.NotConfigured.class, () -> vaultlet.token());
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            stream.writeObject(failed);
        }
        ObjectInputStream stream =
                new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()));
        VaultletException again = (VaultletException.NotConfigured) stream.readObject();
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
