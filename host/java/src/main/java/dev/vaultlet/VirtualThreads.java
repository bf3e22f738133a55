package dev.vaultlet;

import java.lang.reflect.Method;

/** Tells virtual threads, which Java 21 introduced, from others. */
final class VirtualThreads {
    /** {@code Thread.isVirtual}, or null before Java 21. */
    private static final Method IS_VIRTUAL = find();

    private VirtualThreads() {}

    /** Whether the current thread is virtual. */
    static boolean isCurrent() {
        try {
            return IS_VIRTUAL != null && (boolean) IS_VIRTUAL.invoke(Thread.currentThread());
        } catch (ReflectiveOperationException impossible) {
            throw new LinkageError("Thread.isVirtual cannot be called", impossible);
        }
    }

    private static Method find() {
        try {
            return Thread.class.getMethod("isVirtual");
        } catch (NoSuchMethodException older) {
            return null;
        }
    }
}
