package dev.vaultlet;

import java.time.Instant;
import java.util.List;

/**
 * The identity, source and lifetime of a token. Unknown members are null.
 *
 * @param source the source of the credential: {@code managed-identity}
 * @param endpoint the form of the identity endpoint: {@code azure-ml}
 * @param resource the resource that the token was requested for
 * @param clientId the client id of the user-assigned identity that was requested
 * @param tenant the tenant of the identity
 * @param objectId the object id of the identity, to which roles are granted
 * @param appId the application id of the identity
 * @param upn the user's name, masked
 * @param audience the audience in the token
 * @param expiresOn when the token expires
 * @param refreshOn when a new token should be requested
 * @param notes remarks for people
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
