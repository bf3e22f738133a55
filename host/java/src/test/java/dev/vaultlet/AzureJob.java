package dev.vaultlet;

import com.azure.core.exception.ClientAuthenticationException;
import com.azure.security.keyvault.secrets.SecretAsyncClient;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import dev.vaultlet.azure.VaultletCredential;
import java.util.Map;
import java.util.function.Supplier;

/** A program that gets a secret with both of Azure's clients, the blocking and the asynchronous. */
final class AzureJob {
    private AzureJob() {}

    public static void main(String[] arguments) {
        VaultletBuilder builder = Vaultlet.builder();
        if (arguments.length > 0) {
            builder.variables(Map.of()).identity(arguments[0]);
        }
        try (Vaultlet vaultlet = builder.open()) {
            SecretClientBuilder client = new SecretClientBuilder()
                    .vaultUrl("https://my-key-vault.vault.azure.net/")
                    .credential(new VaultletCredential(vaultlet));
            SecretClient blocking = client.buildClient();
            SecretAsyncClient asynchronous = client.buildAsyncClient();
            System.out.print(outcome(() -> blocking.getSecret("db-password").getValue()));
            System.out.print(" ");
            System.out.print(
                    outcome(() -> asynchronous.getSecret("db-password").block().getValue()));
        }
        // The SDK's own threads would keep the program alive.
        System.exit(0);
    }

    private static String outcome(Supplier<String> getting) {
        try {
            return getting.get();
        } catch (ClientAuthenticationException failed) {
            VaultletException cause = (VaultletException) failed.getCause();
            return failed.getClass().getSimpleName() + " " + cause.getClass().getSimpleName()
                    + " " + cause.id();
        }
    }
}
