package dev.vaultlet;

import static dev.vaultlet.LocalAzure.VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Azure's clients for secrets, with {@code VaultletCredential}. */
class AzureTest {
    @ParameterizedTest
    @ValueSource(strings = {"managed", "user"})
    void azure_clients_get_a_secret_as(String who) throws Exception {
        LocalAzure.Ended ended = run("--as", who);
        assertEquals(VALUE + " " + VALUE, ended.stdout(), ended.stderr());
        assertEquals(0, ended.code());
    }

    @Test
    void azure_clients_fail_with_the_cause_of_vaultlet() throws Exception {
        LocalAzure.Ended ended = run("--as", "managed", "environment");
        assertEquals("ClientAuthenticationException NotConfigured no-identity"
                + " ClientAuthenticationException NotConfigured no-identity",
                ended.stdout(), ended.stderr());
        assertEquals(0, ended.code());
        assertFalse(ended.stdout().contains(VALUE));
    }

    private static LocalAzure.Ended run(String... options) throws Exception {
        List<String> dev = new ArrayList<>(List.of("--seed", "db-password=" + VALUE));
        dev.addAll(List.of(options).subList(0, 2));
        String[] arguments = List.of(options).subList(2, options.length).toArray(new String[0]);
        LocalAzure.Ended ended = LocalAzure.job(dev, AzureJob.class, arguments);
        assertFalse(ended.stderr().contains(VALUE), "a value is on stderr");
        assertFalse((ended.stderr() + ended.stdout()).contains("eyJ"), "a token is shown");
        return ended;
    }
}
