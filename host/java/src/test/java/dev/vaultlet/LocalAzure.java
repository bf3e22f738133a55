package dev.vaultlet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A local Azure, by {@code vaultlet dev}: a vault {@code my-key-vault} and a job's identity. */
final class LocalAzure implements AutoCloseable {
    static final String VALUE = "correct horse battery staple";
    static final String REFERENCE = "akv://my-key-vault/db-password";
    private static final String PROGRAM = System.getProperty("vaultlet.program");
    private static final HttpClient HTTP =
            HttpClient.newBuilder().proxy(HttpClient.Builder.NO_PROXY).build();

    private final Process process;
    private final JsonNode ready;
    final Map<String, String> variables = new HashMap<>();

    private LocalAzure(Process process, JsonNode ready) {
        this.process = process;
        this.ready = ready;
        ready.get("env").fields().forEachRemaining(
                it -> variables.put(it.getKey(), it.getValue().asText()));
    }

    /** Starts one with the secrets {@code db-password}, {@code user} and {@code empty}. */
    static LocalAzure start(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                PROGRAM, "dev", "-o", "json", "--vault", "my-key-vault",
                "--seed", "db-password=" + VALUE,
                "--seed-file", "-",
                "--seed", "empty="));
        command.addAll(Arrays.asList(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().retainAll(Set.of("PATH", "HOME"));
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process = builder.start();
        // In a locale without UTF-8, an argument could not be given as it is.
        String user = "{\"user\":\"{\\\"name\\\":\\\"Jürgen\\\",\\\"password\\\":\\\""
                + VALUE + "\\\"}\"}";
        try (OutputStream seeds = process.getOutputStream()) {
            seeds.write(user.getBytes(StandardCharsets.UTF_8));
        }
        BufferedReader lines = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        return new LocalAzure(process, new ObjectMapper().readTree(lines.readLine()));
    }

    /** Returns a builder that has the job's environment. */
    VaultletBuilder builder() {
        return Vaultlet.builder().variables(variables);
    }

    Vaultlet open() {
        return builder().open();
    }

    /** Returns the numbers of requests so far. */
    JsonNode counters() throws IOException, InterruptedException {
        return new ObjectMapper().readTree(control("counters", null));
    }

    /** Sends a request to the control port: a POST if there is a body, else a GET. */
    String control(String path, String body) throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(ready.get("control").asText() + "/" + path));
        if (body != null) {
            request.POST(HttpRequest.BodyPublishers.ofString(body));
        }
        HttpResponse<String> response =
                HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new IOException("control: " + response.statusCode());
        }
        return response.body();
    }

    /** Returns the error that the command line prints in the same job, as JSON. */
    JsonNode refused(String... arguments) throws IOException, InterruptedException {
        Ended ended = run(variables, command(PROGRAM, arguments));
        String[] lines = ended.stderr.strip().split("\n");
        return new ObjectMapper().readTree(lines[lines.length - 1]).get("error");
    }

    /** Runs {@code vaultlet dev … -- java … CLASS} with this Java and this class path. */
    static Ended job(List<String> dev, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        return job(dev, Map.of(), main, arguments);
    }

    /** Runs such a job with further variables. */
    static Ended job(
            List<String> dev, Map<String, String> more, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(PROGRAM, "dev", "--vault", "my-key-vault"));
        command.addAll(dev);
        command.add("--");
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(Arrays.asList(arguments));
        String library = System.getenv("VAULTLET_LIBRARY");
        Map<String, String> variables = new HashMap<>(more);
        if (library != null) {
            variables.put("VAULTLET_LIBRARY", library);
        }
        return run(variables, command);
    }

    /** The exit code and the output of a program. */
    record Ended(int code, String stdout, String stderr) {}

    private static List<String> command(String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    private static Ended run(Map<String, String> variables, List<String> command)
            throws IOException, InterruptedException {
        Path stdout = Files.createTempFile("vaultlet-test", "stdout");
        Path stderr = Files.createTempFile("vaultlet-test", "stderr");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().retainAll(Set.of("PATH", "HOME"));
        builder.environment().putAll(variables);
        int code = builder.redirectOutput(stdout.toFile()).redirectError(stderr.toFile())
                .start().waitFor();
        Ended ended = new Ended(code, Files.readString(stdout), Files.readString(stderr));
        Files.delete(stdout);
        Files.delete(stderr);
        return ended;
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}
