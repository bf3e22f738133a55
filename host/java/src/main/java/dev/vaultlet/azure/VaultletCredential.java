package dev.vaultlet.azure;

import com.azure.core.credential.AccessToken;
import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.exception.ClientAuthenticationException;
import dev.vaultlet.CallOptions;
import dev.vaultlet.Token;
import dev.vaultlet.TokenRequest;
import dev.vaultlet.Vaultlet;
import dev.vaultlet.VaultletException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import reactor.core.publisher.Mono;

/**
 * A credential for Azure's SDK for Java that gets its tokens from vaultlet, in place of {@code
 * DefaultAzureCredential}. It needs {@code com.azure:azure-core}, which every client of the SDK
 * depends on, and not {@code azure-identity}.
 *
 * <p>A failure is a {@link ClientAuthenticationException} whose cause is the {@link
 * VaultletException}.
 */
public final class VaultletCredential implements TokenCredential {
    private final Vaultlet vaultlet;

    /** Creates a credential; the caller keeps the instance open while it is used, and closes it. */
    public VaultletCredential(Vaultlet vaultlet) {
        this.vaultlet = vaultlet;
    }

    @Override
    public Mono<AccessToken> getToken(TokenRequestContext context) {
        return Mono.defer(() -> Mono.fromFuture(
                        vaultlet.tokenAsync(request(context), CallOptions.NONE)))
                .map(VaultletCredential::accessToken)
                .onErrorMap(VaultletException.class, VaultletCredential::authenticationFailure);
    }

    @Override
    public AccessToken getTokenSync(TokenRequestContext context) {
        try {
            return accessToken(vaultlet.token(request(context)));
        } catch (VaultletException failed) {
            throw authenticationFailure(failed);
        }
    }

    private static TokenRequest request(TokenRequestContext context) {
        List<String> scopes = context.getScopes();
        if (scopes.size() != 1) {
            throw new IllegalArgumentException("a token is for one scope, not " + scopes.size());
        }
        return new TokenRequest(scopes.get(0), context.getTenantId(), context.getClaims());
    }

    private static AccessToken accessToken(Token token) {
        try (token) {
            return new AccessToken(
                    token.reveal(),
                    OffsetDateTime.ofInstant(token.identity().expiresOn(), ZoneOffset.UTC),
                    OffsetDateTime.ofInstant(token.identity().refreshOn(), ZoneOffset.UTC));
        }
    }

    private static ClientAuthenticationException authenticationFailure(VaultletException failed) {
        return new ClientAuthenticationException(failed.getMessage(), null, failed);
    }
}
