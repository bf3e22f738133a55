package dev.vaultlet;

import com.sun.jna.Callback;
import com.sun.jna.CallbackReference;
import com.sun.jna.CallbackThreadInitializer;
import com.sun.jna.Native;
import com.sun.jna.Pointer;

/** The C function that the library calls when an asynchronous call ends; one for all calls. */
final class Completion {
    /** The form of a callback that JNA needs. */
    interface Function extends Callback {
        /** Runs on a thread of the library: exactly one of error and result is not 0. */
        void invoke(long context, long error, long result);
    }

    /** Kept here, because the library has only the address. */
    private static final Function FUNCTION = new Function() {
        @Override
        public void invoke(long context, long error, long result) {
            Call.completed(context, error, result);
        }
    };

    static final long ADDRESS = address();

    private Completion() {}

    private static long address() {
        // The library's threads stay attached to the virtual machine, because attaching one for
        // each call would be slow; as daemons they do not keep the program alive.
        Native.setCallbackThreadInitializer(
                FUNCTION, new CallbackThreadInitializer(true, false, "vaultlet"));
        return Pointer.nativeValue(CallbackReference.getFunctionPointer(FUNCTION));
    }
}
