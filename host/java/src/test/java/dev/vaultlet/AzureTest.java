package dev.vaultlet;

import static dev.vaultlet.LocalAzure.VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Microsoft's client for secrets, with a token of ours. */
class AzureTest {
    @ParameterizedTest
    @ValueSource(strings = {"managed", "user"})
    void gets_a_secret_as(String who) throws Exception {
        LocalAzure.Ended ended = run("--as", who);
        assertEquals(VALUE + " " + VALUE, ended.stdout(), ended.stderr());
        assertEquals(0, ended.code());
    }

    @Test
    void says_why_there_is_no_token() throws Exception {
        LocalAzure.Ended ended = run("--as", "managed", "environment");
        assertEquals("ClientAuthenticationException NotConfiguredException no-identity"
                + " ClientAuthenticationException NotConfiguredException no-identity",
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
