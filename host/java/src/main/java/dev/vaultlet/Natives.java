package dev.vaultlet;

/**
 * The library, by JNA: for Java before 22. In {@code META-INF/versions/22} a class of the same name
 * takes its place, and no class of JNA is loaded.
 */
final class Natives {
    private Natives() {}

    static Abi load(String library) {
        try {
            return new JnaAbi(library);
        } catch (NoClassDefFoundError missing) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError(
                    "vaultlet needs JNA on Java " + Runtime.version().feature() + ": add"
                            + " net.java.dev.jna:jna to the class path, or run Java 22 or later");
            error.initCause(missing);
            throw error;
        }
    }
}
