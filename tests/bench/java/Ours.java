import dev.vaultlet.Secret;
import dev.vaultlet.Vaultlet;

class Ours implements Peer.Client {
    private final Vaultlet vaultlet = Vaultlet.open();

    @Override
    public String get(String name) {
        try (Secret secret = vaultlet.get("akv://bench-kv/" + name)) {
            return secret.reveal();
        }
    }
}
