package dev.vaultlet;

import java.time.Instant;
import java.util.List;

/**
 * What is known of a token and whose it is; null where unknown.
 *
 * @param source the source of credentials: {@code managed-identity}
 * @param endpoint which form of it: {@code azure-ml}
 * @param resource what the token is for
 * @param clientId the user-assigned identity that was asked for
 * @param tenant the directory that the identity is in
 * @param objectId the identity, as roles are granted to it
 * @param appId its application
 * @param upn the user's name, masked
 * @param audience what the token says that it is for
 * @param expiresOn when the token ends
 * @param refreshOn when to get a new one
 * @param notes what else is worth knowing, for people
 */
public record Identity(
        String source,
        String endpoint,
        String resource,
        String clientId,
        String tenant,
        String objectId,
        String appId,
        String upn,
        String audience,
        Instant expiresOn,
        Instant refreshOn,
        List<String> notes) {}
