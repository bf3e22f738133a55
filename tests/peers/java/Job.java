import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.SecretClientBuilder;

public class Job {
    public static void main(String[] arguments) {
        SecretClient client = new SecretClientBuilder()
            .vaultUrl("https://my-key-vault.vault.azure.net/")
            .credential(new DefaultAzureCredentialBuilder().build())
            .buildClient();
        System.out.println(client.getSecret("secret-name").getValue());
    }
}
