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

/** What each call answers. */
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
    void one_secret_in_all_its_forms() {
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
            // What it shows is a reference of it.
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
    void the_user_is_asked_for_and_not_the_compute() throws Exception {
        try (LocalAzure user = LocalAzure.start("--as", "user", "--grant", "managed:none");
                Vaultlet vaultlet = user.open();
                Secret secret = vaultlet.get(REFERENCE)) {
            assertEquals(VALUE, secret.reveal());
            assertEquals("azureml-obo", vaultlet.whoami().source());
            assertEquals(1, user.counters().at("/identity/azure-ml-obo").asInt());
        }
    }

    @Test
    void a_managed_identity_when_the_job_has_no_user() throws Exception {
        try (LocalAzure managed = LocalAzure.start();
                Vaultlet vaultlet = managed.open();
                Secret secret = vaultlet.get(REFERENCE)) {
            assertEquals(VALUE, secret.reveal());
            Identity identity = vaultlet.whoami();
            assertEquals("managed-identity", identity.source());
            assertEquals("azure-ml", identity.endpoint());
            assertNotNull(identity.objectId());
            assertTrue(identity.expiresOn().isAfter(Instant.now()));
            // One token serves them all.
            assertEquals(1, managed.counters().at("/identity/azure-ml").asInt());
        }
    }

    @Test
    void many_in_their_order_and_all_or_none() {
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

            NotFoundException missing = assertThrows(NotFoundException.class,
                    () -> vaultlet.getMany(REFERENCE, "akv://my-key-vault/missing"));
            assertEquals("secret-not-found", missing.id());
            assertEquals(0, vaultlet.getMany().size());
        }
    }

    @Test
    @Timeout(60)
    void a_forgotten_secret_is_freed() throws Exception {
        try (Vaultlet vaultlet = azure.open()) {
            Plaintext value = forgotten(vaultlet);
            while (isOpen(value)) {
                System.gc();
            }
        }
    }

    /** What a secret held that nobody holds. */
    private static Plaintext forgotten(Vaultlet vaultlet) throws Exception {
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
    void futures() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor(
                work -> new Thread(work, "of-the-program"));
        try (Vaultlet vaultlet = azure.builder().executor(executor).open()) {
            String where = vaultlet.getAsync(REFERENCE)
                    .thenApply(secret -> {
                        try (secret) {
                            // What depends on a call may call again.
                            try (Secret again = vaultlet.get(REFERENCE)) {
                                assertEquals(secret.reveal(), again.reveal());
                            }
                            return Thread.currentThread().getName();
                        }
                    })
                    .get();
            assertEquals("of-the-program", where);
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
    void a_refused_executor_does_not_lose_an_answer() {
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
    void tokens() {
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
    void a_plan_names_what_would_be_read_and_asks_nobody() throws Exception {
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
    void listings_have_no_values() {
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
    void the_implementation_is_that_of_this_java() {
        assertEquals(System.getProperty("vaultlet.by"), Library.abi().getClass().getSimpleName());
        assertEquals(System.getProperty("vaultlet.version"), Vaultlet.version());
        boolean foreign = Runtime.version().feature() >= 22;
        if (foreign) {
            assertThrows(ClassNotFoundException.class, () -> Class.forName("com.sun.jna.Native"));
        } else {
            assertThrows(ClassNotFoundException.class, () -> Class.forName("dev.vaultlet.FfmAbi"));
        }
    }
}
