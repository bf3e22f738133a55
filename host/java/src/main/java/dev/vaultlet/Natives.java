package dev.vaultlet;

import java.lang.reflect.Method;

/**
 * The library, by JNA: for Java before 22. In {@code META-INF/versions/22} a class of the same name
 * takes its place, and no class of JNA is loaded.
 */
final class Natives {
    /** Null before Java 21, which has no virtual threads. */
    private static final Method IS_VIRTUAL = isVirtualMethod();

    private Natives() {}

    /** Whether this thread is one. */
    static boolean isVirtual() {
        try {
            return IS_VIRTUAL != null && (boolean) IS_VIRTUAL.invoke(Thread.currentThread());
        } catch (ReflectiveOperationException impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static Method isVirtualMethod() {
        try {
            return Thread.class.getMethod("isVirtual");
        } catch (NoSuchMethodException before) {
            return null;
        }
    }

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
