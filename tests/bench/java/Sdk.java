import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.SecretClientBuilder;

class Sdk implements Peer.Client {
    private final SecretClient secrets = new SecretClientBuilder()
        .vaultUrl("https://bench-kv.vault.azure.net/")
        .credential(new DefaultAzureCredentialBuilder().build())
        .buildClient();

    @Override
    public String get(String name) {
        return secrets.getSecret(name).getValue();
    }
}
