package dev.vaultlet;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * Calls functions of C by how many addresses they take, and whether they answer one. A shape of
 * functions is made when the first of it is called, as each costs a start some milliseconds. An
 * address is a long to the calling convention of every 64-bit platform, and so is a small number.
 */
final class Shapes {
    private Shapes() {}

    private static MethodHandle answering(int given) {
        return shape(FunctionDescriptor.of(JAVA_LONG, longs(given)));
    }

    private static MethodHandle running(int given) {
        return shape(FunctionDescriptor.ofVoid(longs(given)));
    }

    private static MethodHandle shape(FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(descriptor);
    }

    private static MemoryLayout[] longs(int count) {
        MemoryLayout[] longs = new MemoryLayout[count];
        Arrays.fill(longs, JAVA_LONG);
        return longs;
    }

    private static final class Give0 {
        static final MethodHandle CALL = answering(0);
    }

    static long give0(MemorySegment function) {
        try {
            return (long) Give0.CALL.invokeExact(function);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give1 {
        static final MethodHandle CALL = answering(1);
    }

    static long give1(MemorySegment function, long a) {
        try {
            return (long) Give1.CALL.invokeExact(function, a);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give2 {
        static final MethodHandle CALL = answering(2);
    }

    static long give2(MemorySegment function, long a, long b) {
        try {
            return (long) Give2.CALL.invokeExact(function, a, b);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give3 {
        static final MethodHandle CALL = answering(3);
    }

    static long give3(MemorySegment function, long a, long b, long c) {
        try {
            return (long) Give3.CALL.invokeExact(function, a, b, c);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give4 {
        static final MethodHandle CALL = answering(4);
    }

    static long give4(MemorySegment function, long a, long b, long c, long d) {
        try {
            return (long) Give4.CALL.invokeExact(function, a, b, c, d);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give5 {
        static final MethodHandle CALL = answering(5);
    }

    static long give5(MemorySegment function, long a, long b, long c, long d, long e) {
        try {
            return (long) Give5.CALL.invokeExact(function, a, b, c, d, e);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Run1 {
        static final MethodHandle CALL = running(1);
    }

    static void run1(MemorySegment function, long a) {
        try {
            Run1.CALL.invokeExact(function, a);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Run5 {
        static final MethodHandle CALL = running(5);
    }

    static void run5(MemorySegment function, long a, long b, long c, long d, long e) {
        try {
            Run5.CALL.invokeExact(function, a, b, c, d, e);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Run6 {
        static final MethodHandle CALL = running(6);
    }

    static void run6(
            MemorySegment function, long a, long b, long c, long d, long e, long f) {
        try {
            Run6.CALL.invokeExact(function, a, b, c, d, e, f);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }
}
