package dev.vaultlet;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * What {@link Vaultlet#resolveEnvironment} resolves. Immutable; start with {@link #ALL}.
 *
 * @param variables variables in place of those of the process, or of those that the instance was
 *     opened with; or null
 * @param only the names of the variables to resolve, each of which must be there; null means all
 */
public record EnvironmentRequest(Map<String, String> variables, List<String> only) {
    /** Every reference in the environment. */
    public static final EnvironmentRequest ALL = new EnvironmentRequest(null, null);

    /** Copies the variables and the names. */
    public EnvironmentRequest {
        variables = variables == null ? null : Map.copyOf(variables);
        only = only == null ? null : List.copyOf(only);
    }

    /** Returns this request with variables in place of those of the process. */
    public EnvironmentRequest withVariables(Map<String, String> variables) {
        return new EnvironmentRequest(variables, only);
    }

    /** Returns this request for these variables only. */
    public EnvironmentRequest withOnly(Collection<String> names) {
        return new EnvironmentRequest(variables, List.copyOf(names));
    }

    /** A text without the variables, whose values may be secrets. */
    @Override
    public String toString() {
        return "EnvironmentRequest";
    }
}
