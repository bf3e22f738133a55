package dev.vaultlet;

import static dev.vaultlet.LocalAzure.REFERENCE;
import static dev.vaultlet.LocalAzure.VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.ByteArrayOutputStream;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each test produces text in a way that has leaked values elsewhere, then the text is scanned. */
class LeaksTest {
    private final StringBuilder shown = new StringBuilder();
    private LocalAzure azure;
    private Vaultlet vaultlet;
    private Secret secret;
    private Token token;

    @BeforeEach
    void get() throws Exception {
        azure = LocalAzure.start();
        vaultlet = azure.open();
        secret = vaultlet.get(REFERENCE);
        token = vaultlet.token();
    }

    @AfterEach
    void scan() {
        String all = shown.toString();
        assertFalse(all.isEmpty(), "nothing was scanned");
        assertFalse(all.contains(VALUE), "a value is shown");
        assertFalse(all.contains("eyJ"), "a token is shown");
        assertFalse(all.contains(azure.variables.get("MSI_SECRET")), "a credential is shown");
        token.close();
        secret.close();
        vaultlet.close();
        azure.close();
    }

    @Test
    void to_string() {
        for (Object each : List.of(
                secret, token, vaultlet, secret.properties(), token.identity(), Vaultlet.builder(),
                CallOptions.NONE, vaultlet.getMany(REFERENCE), vaultlet.getAsync(REFERENCE))) {
            shown.append(each).append(String.format("%s %1$20.40s", each)).append("" + each)
                    .append(Map.of("a", each)).append(Arrays.asList(each, each));
        }
        assertTrue(shown.toString().contains("akv://my-key-vault.vault.azure.net/db-password/"));
    }

    @Test
    void log_messages() {
        Logger logger = Logger.getLogger("logger-of-the-program");
        logger.setUseParentHandlers(false);
        logger.setLevel(Level.ALL);
        logger.addHandler(new Handler() {
            @Override
            public void publish(LogRecord record) {
                shown.append(new SimpleFormatter().format(record));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        });
        logger.log(Level.INFO, "got {0} by {1}", new Object[] {secret, token});
        System.getLogger("logger-of-the-program").log(System.Logger.Level.INFO, secret);
    }

    @Test
    void exceptions_and_stack_traces() throws Exception {
        azure.control("grant", "{\"who\":\"managed\",\"role\":\"none\"}");
        for (String reference : List.of(REFERENCE, "akv://my-key-vault", "akv://v/x y")) {
            VaultletException failed =
                    assertThrows(VaultletException.class, () -> vaultlet.get(reference));
            failed.addSuppressed(new IllegalStateException("while " + secret + " was open"));
            StringWriter trace = new StringWriter();
            new RuntimeException("wrapped", failed).printStackTrace(new PrintWriter(trace));
            shown.append(trace).append(failed.attempts()).append(failed);
        }
    }

    @Test
    void jackson() throws Exception {
        ObjectMapper plain = new ObjectMapper();
        for (Object each : List.of(secret, token)) {
            JsonProcessingException refused = assertThrows(JsonProcessingException.class,
                    () -> plain.writeValueAsString(each));
            shown.append(refused);
        }
        ObjectMapper greedy = new ObjectMapper()
                .setVisibility(PropertyAccessor.ALL, JsonAutoDetect.Visibility.ANY)
                .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS);
        shown.append(greedy.writeValueAsString(Map.of("secret", secret, "token", token)));
        assertTrue(shown.toString().endsWith("{}}"), "there is nothing to write");
    }

    @Test
    void gson() {
        shown.append(new Gson().toJson(secret)).append(new Gson().toJson(token));
        shown.append(new GsonBuilder().serializeNulls().setPrettyPrinting().create()
                .toJson(List.of(secret, token)));
        assertEquals("{}", new Gson().toJson(secret));
    }

    @Test
    void java_serialisation() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (Object each : List.of(secret, token, vaultlet)) {
            shown.append(assertThrows(NotSerializableException.class,
                    () -> new ObjectOutputStream(bytes).writeObject(each)));
        }
        shown.append(bytes.toString("ISO-8859-1"));
    }

    @Test
    void fields_by_reflection() throws Exception {
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Object> waiting = new ArrayList<>(List.of(secret, token, vaultlet));
        while (!waiting.isEmpty()) {
            Object object = waiting.remove(waiting.size() - 1);
            if (object == null || !seen.add(object)) {
                continue;
            }
            if (object instanceof String || object instanceof Number) {
                shown.append(object).append('\n');
            } else if (object instanceof byte[]) {
                shown.append(new String((byte[]) object, "ISO-8859-1")).append('\n');
            } else if (object instanceof char[]) {
                shown.append((char[]) object).append('\n');
            } else if (object instanceof Object[]) {
                waiting.addAll(Arrays.asList((Object[]) object));
            } else if (object.getClass().isArray()) {
                shown.append(Array.getLength(object));
            } else if (object.getClass().getName().startsWith("dev.vaultlet")) {
                for (Field field : object.getClass().getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers())) {
                        field.setAccessible(true);
                        waiting.add(field.get(object));
                    }
                }
            }
        }
        assertTrue(shown.toString().contains("db-password"), "the fields were read");
    }

    /** The heap dump of a job that has a secret and has not revealed it yet. */
    @Test
    void heap_dump() throws Exception {
        LocalAzure.Ended ended =
                LocalAzure.job(List.of("--seed", "db-password=" + VALUE), HeapJob.class);
        assertEquals("hidden revealed", ended.stdout(), ended.stderr());
        assertEquals(0, ended.code());
        shown.append(ended.stdout()).append(ended.stderr());
    }
}
