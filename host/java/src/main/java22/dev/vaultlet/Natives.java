package dev.vaultlet;

/** The library, by {@code java.lang.foreign}: for Java 22 and later. */
final class Natives {
    private Natives() {}

    static boolean isVirtual() {
        return Thread.currentThread().isVirtual();
    }

    static Abi load(String library) {
        return new FfmAbi(library);
    }
}
