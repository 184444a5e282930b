package org.panallama.server;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.List;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.jspecify.annotations.Nullable;

/** The keys that requests must have one of; with none, all may pass. Immutable. */
final class ApiKeys {

    private static final String BEARER = "Bearer ";

    private final List<byte[]> digests;

    ApiKeys(Collection<String> keys) {
        digests = keys.stream().map(ApiKeys::digest).toList();
    }

    /**
     * @throws ApiException if there is no right key
     */
    void check(HttpFields headers) {
        if (digests.isEmpty()) {
            return;
        }
        String key = key(headers);
        if (key == null) {
            throw new ApiException(
                    401,
                    "invalid_request_error",
                    "An API key is needed: send 'Authorization: Bearer KEY'.",
                    null,
                    "missing_api_key");
        }
        byte[] given = digest(key);
        boolean right = false;
        // Every key is compared, each in constant time, so that the time tells nothing.
        for (byte[] digest : digests) {
            right |= MessageDigest.isEqual(digest, given);
        }
        if (!right) {
            throw new ApiException(401, "invalid_request_error", "The API key is wrong.", null, "invalid_api_key");
        }
    }

    private static @Nullable String key(HttpFields headers) {
        HttpField authorization = headers.getField("Authorization");
        if (authorization != null && authorization.getValue() != null) {
            String value = authorization.getValue();
            return value.regionMatches(true, 0, BEARER, 0, BEARER.length())
                    ? value.substring(BEARER.length()).strip()
                    : null;
        }
        return headers.get("X-Api-Key");
    }

    /** Of equal length for keys of every length. */
    private static byte[] digest(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
