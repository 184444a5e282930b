package org.panallama.server;

/** Answers requests of a path. */
interface Endpoint {

    /**
     * @throws ApiException if the answer is an error
     */
    void handle(Exchange exchange);
}
