package dev.vaultlet;

import static dev.vaultlet.LocalAzure.REFERENCE;
import static dev.vaultlet.LocalAzure.VALUE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The results of each call. */
class CallsTest {
    private static LocalAzure azure;

    @BeforeAll
    static void start() throws Exception {
        azure = LocalAzure.start("--as", "user");
    }

    @AfterAll
    static void stop() {
        azure.close();
    }

    @Test
    void get_returns_the_value_and_the_properties() {
        try (Vaultlet vaultlet = azure.open();
                Secret secret = vaultlet.get(REFERENCE)) {
            assertEquals(VALUE, secret.reveal());
            assertArrayEquals(VALUE.toCharArray(), secret.revealChars());
            assertArrayEquals(VALUE.getBytes(StandardCharsets.UTF_8), secret.revealBytes());

            SecretProperties properties = secret.properties();
            assertEquals("my-key-vault.vault.azure.net", properties.vault());
            assertEquals("db-password", properties.name());
            assertEquals(32, properties.version().length());
            assertTrue(properties.enabled());
            assertTrue(properties.created().isAfter(Instant.parse("2020-01-01T00:00:00Z")));
            assertEquals("akv://my-key-vault.vault.azure.net/db-password/" + properties.version(),
                    secret.toString());
            // The text is a reference to the same version.
            try (Secret again = vaultlet.get(secret.toString())) {
                assertEquals(VALUE, again.reveal());
                assertNotEquals(secret, again);
            }
        }
    }

    @Test
    void values_are_utf8_and_may_be_empty() {
        try (Vaultlet vaultlet = azure.open();
                Secret name = vaultlet.get("akv://my-key-vault/user?json=/name");
                Secret empty = vaultlet.get("akv://my-key-vault/empty")) {
            assertEquals("Jürgen", name.reveal());
            assertArrayEquals("Jürgen".toCharArray(), name.revealChars());
            assertEquals("", empty.reveal());
            assertEquals(0, empty.revealBytes().length);
        }
    }

    @Test
    void the_identity_of_the_user_comes_before_that_of_the_compute() throws Exception {
        try (LocalAzure user = LocalAzure.start("--as", "user", "--grant", "managed:none");
                Vaultlet vaultlet = user.open();
                Secret secret = vaultlet.get(REFERENCE)) {
            assertEquals(VALUE, secret.reveal());
            assertEquals("azureml-obo", vaultlet.whoami().source());
            assertEquals(1, user.counters().at("/identity/azure-ml-obo").asInt());
        }
    }

    @Test
    void a_job_without_a_user_has_its_managed_identity() throws Exception {
        try (LocalAzure managed = LocalAzure.start();
                Vaultlet vaultlet = managed.open();
                Secret secret = vaultlet.get(REFERENCE)) {
            assertEquals(VALUE, secret.reveal());
            Identity identity = vaultlet.whoami();
            assertEquals("managed-identity", identity.source());
            assertEquals("azure-ml", identity.endpoint());
            assertNotNull(identity.objectId());
            assertTrue(identity.expiresOn().isAfter(Instant.now()));
            // One token serves all calls.
            assertEquals(1, managed.counters().at("/identity/azure-ml").asInt());
        }
    }

    @Test
    void get_many_keeps_the_order_and_returns_all_or_none() {
        String[] references = {"akv://my-key-vault/user?json=/name", REFERENCE, REFERENCE};
        try (Vaultlet vaultlet = azure.open()) {
            SecretList secrets = vaultlet.getMany(references);
            assertEquals(3, secrets.size());
            assertEquals("Jürgen", secrets.get(0).reveal());
            secrets.get(0).close();
            assertThrows(IllegalStateException.class, secrets.get(0)::reveal);
            assertEquals(VALUE, secrets.get(2).reveal());
            secrets.close();
            assertThrows(IllegalStateException.class, secrets.get(2)::reveal);
            secrets.close();

            VaultletException.NotFound missing = assertThrows(VaultletException.NotFound.class,
                    () -> vaultlet.getMany(REFERENCE, "akv://my-key-vault/missing"));
            assertEquals("secret-not-found", missing.id());
            assertEquals(0, vaultlet.getMany().size());
        }
    }

    @Test
    @Timeout(60)
    void an_unreachable_secret_is_freed() throws Exception {
        try (Vaultlet vaultlet = azure.open()) {
            Plaintext value = valueOfUnreachable(vaultlet);
            while (isOpen(value)) {
                System.gc();
            }
        }
    }

    /** The value of a secret that is unreachable on return. */
    private static Plaintext valueOfUnreachable(Vaultlet vaultlet) throws Exception {
        Secret secret = vaultlet.get(REFERENCE);
        Field value = Secret.class.getDeclaredField("value");
        value.setAccessible(true);
        Plaintext plaintext = (Plaintext) value.get(secret);
        assertEquals(VALUE, secret.reveal());
        return plaintext;
    }

    private static boolean isOpen(Plaintext value) {
        try {
            value.bytes();
            return true;
        } catch (IllegalStateException freed) {
            return false;
        }
    }

    @Test
    void futures_complete_on_the_executor_and_may_call_again() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor(
                work -> new Thread(work, "thread-of-the-program"));
        try (Vaultlet vaultlet = azure.builder().executor(executor).open()) {
            String where = vaultlet.getAsync(REFERENCE)
                    .thenApply(secret -> {
                        try (secret) {
                            // A dependent stage may block in another call.
                            try (Secret again = vaultlet.get(REFERENCE)) {
                                assertEquals(secret.reveal(), again.reveal());
                            }
                            return Thread.currentThread().getName();
                        }
                    })
                    .get();
            assertEquals("thread-of-the-program", where);
            try (SecretList both = vaultlet.getManyAsync(REFERENCE, REFERENCE).join()) {
                assertEquals(VALUE, both.get(1).reveal());
            }
            assertEquals("azureml-obo",
                    vaultlet.whoamiAsync(TokenRequest.KEY_VAULT, CallOptions.NONE).join().source());
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void an_executor_that_rejects_tasks_loses_no_result() {
        try (Vaultlet vaultlet = azure.builder()
                        .executor(work -> {
                            throw new java.util.concurrent.RejectedExecutionException();
                        })
                        .open();
                Secret secret = vaultlet.getAsync(REFERENCE).join()) {
            assertEquals(VALUE, secret.reveal());
        }
    }

    @Test
    void a_token_is_for_the_requested_resource() {
        try (Vaultlet vaultlet = azure.open();
                Token token = vaultlet.token();
                Token other = vaultlet.token(TokenRequest.of("https://storage.azure.com"))) {
            assertTrue(token.reveal().startsWith("ey"), "a token");
            assertEquals(token.reveal(), new String(token.revealChars()));
            assertEquals("https://vault.azure.net", token.identity().resource());
            assertEquals("token for https://vault.azure.net", token.toString());
            assertEquals("https://storage.azure.com", other.identity().resource());
        }
    }

    @Test
    void a_plan_lists_what_would_be_read_and_sends_no_request() throws Exception {
        try (LocalAzure unasked = LocalAzure.start();
                Vaultlet vaultlet = unasked.open()) {
            JsonNode plan = new ObjectMapper().readTree(vaultlet.plan(REFERENCE));
            assertEquals("my-key-vault.vault.azure.net", plan.at("/vault/host").asText());
            assertTrue(plan.get("variables").toString().contains("MSI_ENDPOINT"));
            assertFalse(new ObjectMapper().readTree(vaultlet.plan()).has("vault"));
            assertTrue(unasked.counters().get("identity").isEmpty());
        }
    }

    @Test
    void list_and_versions_return_properties() {
        try (Vaultlet vaultlet = azure.open()) {
            List<String> names =
                    vaultlet.list("my-key-vault").stream().map(SecretProperties::name).toList();
            assertEquals(List.of("db-password", "empty", "user"), names);
            List<SecretProperties> versions = vaultlet.versions(REFERENCE);
            assertEquals(1, versions.size());
            try (Secret secret = vaultlet.get(versions.get(0).reference())) {
                assertEquals(VALUE, secret.reveal());
            }
            assertEquals(versions,
                    vaultlet.versionsAsync(REFERENCE, CallOptions.NONE).join());
        }
    }

    @Test
    void the_library_has_the_version_of_the_package() {
        assertEquals(System.getProperty("vaultlet.version"), Vaultlet.version());
    }
}
