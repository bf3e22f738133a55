import com.azure.core.credential.TokenCredential;
import com.azure.identity.ClientCertificateCredentialBuilder;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.identity.ManagedIdentityCredentialBuilder;
import com.azure.identity.WorkloadIdentityCredentialBuilder;
import com.azure.security.keyvault.secrets.SecretClientBuilder;

public class Credential {
    public static void main(String[] arguments) {
        String tenant = System.getenv("AZURE_TENANT_ID");
        String client = System.getenv("AZURE_CLIENT_ID");
        TokenCredential credential = switch (arguments[0]) {
            case "client-secret" -> new ClientSecretCredentialBuilder()
                .tenantId(tenant).clientId(client)
                .clientSecret(System.getenv("AZURE_CLIENT_SECRET")).build();
            case "client-certificate" -> new ClientCertificateCredentialBuilder()
                .tenantId(tenant).clientId(client)
                .pemCertificate(System.getenv("AZURE_CLIENT_CERTIFICATE_PATH")).build();
            case "workload-identity" -> new WorkloadIdentityCredentialBuilder().build();
            case "managed-identity" -> new ManagedIdentityCredentialBuilder().build();
            default -> throw new IllegalArgumentException(arguments[0]);
        };
        System.out.println(new SecretClientBuilder()
            .vaultUrl("https://my-key-vault.vault.azure.net/")
            .credential(credential)
            .buildClient()
            .getSecret("secret-name")
            .getValue());
    }
}
