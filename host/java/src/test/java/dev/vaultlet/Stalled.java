package dev.vaultlet;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** A vault that accepts requests and never responds. */
final class Stalled implements AutoCloseable {
    private final ServerSocket listener;
    private final List<Socket> held = new ArrayList<>();

    Stalled() throws IOException {
        listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
    }

    String reference() {
        return "http://127.0.0.1:" + listener.getLocalPort() + "/secrets/db-password";
    }

    /** Waits for a request. */
    void awaitRequest() throws IOException {
        Socket socket = listener.accept();
        held.add(socket);
        if (socket.getInputStream().read() < 0) {
            throw new IOException("a connection without a request");
        }
    }

    @Override
    public void close() throws IOException {
        for (Socket socket : held) {
            socket.close();
        }
        listener.close();
    }
}
