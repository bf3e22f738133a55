package dev.vaultlet;

/** A program that resolves its own environment, and prints the names and the lengths of the values. */
final class EnvironmentJob {
    private EnvironmentJob() {}

    public static void main(String[] arguments) {
        try (Vaultlet vaultlet = Vaultlet.open();
                SecretMap secrets = vaultlet.resolveEnvironment()) {
            secrets.forEach((name, secret) ->
                    System.out.println(name + " " + secret.reveal().length()));
        }
    }
}
