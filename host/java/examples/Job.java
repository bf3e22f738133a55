import dev.vaultlet.Secret;
import dev.vaultlet.Vaultlet;

public class Job {
    public static void main(String[] arguments) {
        try (Vaultlet vaultlet = Vaultlet.open();
                Secret secret = vaultlet.get("akv://my-key-vault/db-password")) {
            System.out.print(secret.reveal());
        }
    }
}
