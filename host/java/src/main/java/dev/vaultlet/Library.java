package dev.vaultlet;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * Finds and loads the native library. The places are, in order: the system property {@code
 * vaultlet.library}, the environment variable {@code VAULTLET_LIBRARY}, the jar, {@code
 * java.library.path} and the folders of the system.
 */
final class Library {
    private static final String HINT =
            "; name a library by -Dvaultlet.library=FILE or VAULTLET_LIBRARY";

    /** Kept because JNA unloads an unreferenced library, even while its threads run. */
    private static NativeLibrary loaded;

    private Library() {}

    /**
     * Loads the library and binds the native methods of a class to its functions.
     *
     * @throws UnsatisfiedLinkError if there is no library for this system, or no JNA
     */
    static void register(Class<?> methods) {
        try {
            loaded = load();
            Native.register(methods, loaded);
        } catch (NoClassDefFoundError missing) {
            throw error("vaultlet needs JNA on Java " + Runtime.version().feature()
                    + ": add net.java.dev.jna:jna to the class path", missing);
        }
    }

    private static NativeLibrary load() {
        String named = nonEmpty(System.getProperty("vaultlet.library"));
        if (named == null) {
            named = nonEmpty(System.getenv("VAULTLET_LIBRARY"));
        }
        if (named != null) {
            return NativeLibrary.getInstance(Path.of(named).toAbsolutePath().toString());
        }
        String file = System.mapLibraryName("vaultlet");
        String resource = "/natives/" + platform() + "/" + file;
        try (InputStream packaged = Library.class.getResourceAsStream(resource)) {
            if (packaged != null) {
                return unpack(packaged, file);
            }
        } catch (IOException failed) {
            throw error("vaultlet's library cannot be unpacked: " + failed.getMessage() + HINT,
                    failed);
        }
        return installed(file);
    }

    private static String nonEmpty(String text) {
        return text == null || text.isEmpty() ? null : text;
    }

    /** Loads the library by way of a private temporary folder, which is deleted at once. */
    private static NativeLibrary unpack(InputStream packaged, String file) throws IOException {
        Path folder = Files.createTempDirectory("vaultlet-");
        Path library = folder.resolve(file);
        try {
            Files.copy(packaged, library, StandardCopyOption.REPLACE_EXISTING);
            return NativeLibrary.getInstance(library.toString());
        } finally {
            delete(library);
            delete(folder);
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException inUse) {
            // Windows does not delete the file of a loaded library.
            path.toFile().deleteOnExit();
        }
    }

    private static NativeLibrary installed(String file) {
        String folders = System.getProperty("java.library.path", "");
        for (String folder : folders.split(File.pathSeparator)) {
            Path library = Path.of(folder, file);
            if (!folder.isEmpty() && Files.exists(library)) {
                return NativeLibrary.getInstance(library.toAbsolutePath().toString());
            }
        }
        try {
            return NativeLibrary.getInstance(file);
        } catch (UnsatisfiedLinkError none) {
            throw error("there is no " + file + " for " + platform()
                    + " in the jar or on this system: " + none.getMessage() + HINT, none);
        }
    }

    private static UnsatisfiedLinkError error(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }

    /** The name of this system as JNA writes it: {@code linux-x86-64}. */
    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        os = os.startsWith("mac") ? "darwin" : os.startsWith("windows") ? "win32" : os;
        return os + "-" + (arch.equals("amd64") || arch.equals("x86_64") ? "x86-64" : arch);
    }
}
