package dev.vaultlet;

import static dev.vaultlet.LocalAzure.REFERENCE;
import static dev.vaultlet.LocalAzure.VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code resolveEnvironment}, by the table that the libraries of all languages are tested by. */
class EnvironmentTest {
    private static final Path TABLE = Path.of("..", "..", "tests", "environment.json");
    private static LocalAzure azure;

    private static JsonNode table() throws Exception {
        return new ObjectMapper().readTree(TABLE.toFile());
    }

    static Stream<Case> cases() throws Exception {
        List<Case> cases = new ArrayList<>();
        table().get("cases").forEach(it -> cases.add(new Case(it)));
        return cases.stream();
    }

    /** An environment and what it resolves to, which shows its name only. */
    record Case(JsonNode json) {
        EnvironmentRequest request() {
            JsonNode only = json.get("only");
            if (only == null) {
                return EnvironmentRequest.ALL;
            }
            List<String> names = new ArrayList<>();
            only.forEach(name -> names.add(name.asText()));
            return EnvironmentRequest.ALL.withOnly(names);
        }

        Map<String, String> texts(String member) {
            Map<String, String> texts = new HashMap<>();
            json.get(member).fields().forEachRemaining(
                    it -> texts.put(it.getKey(), it.getValue().asText()));
            return texts;
        }

        @Override
        public String toString() {
            return json.get("name").asText();
        }
    }

    @BeforeAll
    static void start() throws Exception {
        JsonNode table = table();
        List<String> arguments = new ArrayList<>();
        table.get("seeds").fields().forEachRemaining(it -> {
            // This one is there anyway.
            if (!it.getKey().equals("db-password")) {
                arguments.add("--seed");
                arguments.add(it.getKey() + "=" + it.getValue().asText());
            }
        });
        table.get("denied").forEach(name -> {
            arguments.add("--grant");
            arguments.add("managed:none:" + name.asText());
        });
        azure = LocalAzure.start(arguments.toArray(String[]::new));
    }

    @AfterAll
    static void stop() {
        azure.close();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void the_variables_of_a_call(Case it) {
        try (Vaultlet vaultlet = azure.open()) {
            EnvironmentRequest request = it.request().withVariables(it.texts("variables"));
            check(it, none -> vaultlet.resolveEnvironment(request));
            check(it, none -> {
                try {
                    return vaultlet.resolveEnvironmentAsync(request, CallOptions.NONE).join();
                } catch (CompletionException failed) {
                    throw (VaultletException) failed.getCause();
                }
            });
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void the_variables_of_an_instance(Case it) {
        Map<String, String> variables = new HashMap<>(azure.variables);
        variables.putAll(it.texts("variables"));
        try (Vaultlet vaultlet = Vaultlet.builder().variables(variables).open()) {
            check(it, none -> vaultlet.resolveEnvironment(it.request()));
        }
    }

    private static void check(Case it, Function<Void, SecretMap> resolve) {
        JsonNode expected = it.json.get("failed");
        if (expected == null) {
            Map<String, String> values = new HashMap<>();
            try (SecretMap secrets = resolve.apply(null)) {
                secrets.forEach((name, secret) -> values.put(name, secret.reveal()));
                assertFalse(secrets.toString().contains(VALUE));
            }
            // Not by assertEquals, which would print the values.
            assertTrue(values.equals(it.texts("secrets")), it.toString());
            return;
        }
        VaultletException error =
                assertThrows(VaultletException.class, () -> resolve.apply(null));
        assertEquals(expected.size(), error.variables().size());
        for (int at = 0; at < expected.size(); at++) {
            VaultletException.FailedVariable failed = error.variables().get(at);
            assertEquals(expected.get(at).get("name").asText(), failed.name());
            assertEquals(expected.get(at).get("id").asText(), failed.id());
            assertEquals(expected.get(at).get("kind").asText(), failed.kind().toString());
            assertTrue(error.getMessage().contains("`" + failed.name() + "`"));
            assertTrue(error.getMessage().contains(failed.message()));
        }
        assertEquals(error.variables().get(0).id(), error.id());
        assertEquals(error.variables().get(0).kind(), error.kind());
        assertFalse((error + " " + error.variables()).contains(VALUE));
    }

    @Test
    void closing_the_map_closes_its_secrets() {
        Map<String, String> variables = Map.of("A", REFERENCE, "B", REFERENCE, "C", "text");
        EnvironmentRequest request = EnvironmentRequest.ALL.withVariables(variables);
        try (Vaultlet vaultlet = azure.open()) {
            SecretMap secrets = vaultlet.resolveEnvironment(request);
            assertEquals(List.of("A", "B"), List.copyOf(secrets.keySet()));
            assertFalse(secrets.containsKey("C"));
            secrets.get("A").close();
            assertEquals(VALUE, secrets.get("B").reveal());
            secrets.close();
            assertThrows(IllegalStateException.class, secrets.get("B")::reveal);
            assertThrows(UnsupportedOperationException.class, secrets::clear);
        }
    }

    @Test
    void a_name_that_is_not_set_is_refused() {
        EnvironmentRequest request =
                EnvironmentRequest.ALL.withVariables(Map.of()).withOnly(List.of("A"));
        try (Vaultlet vaultlet = azure.open()) {
            VaultletException error = assertThrows(
                    VaultletException.Usage.class, () -> vaultlet.resolveEnvironment(request));
            assertTrue(error.getMessage().contains("`A`, which is not set"));
            assertTrue(error.variables().isEmpty());
        }
        assertEquals("EnvironmentRequest", request.toString());
    }

    @Test
    void the_environment_of_the_process() throws Exception {
        LocalAzure.Ended ended = LocalAzure.job(
                List.of("--seed", "db-password=" + VALUE),
                Map.of("A_PASSWORD", REFERENCE), EnvironmentJob.class);
        assertEquals(0, ended.code(), ended.stderr());
        assertEquals("A_PASSWORD " + VALUE.length() + "\n", ended.stdout());
        assertFalse(ended.stderr().contains(VALUE));
    }
}
