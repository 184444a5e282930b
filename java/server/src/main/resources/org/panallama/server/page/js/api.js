import { t } from "./i18n.js";
import { settings } from "./settings.js";
import { serverSentEvents } from "./sse.js";

/** What the server answered instead of a result. */
export class ServerError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

// Relative to the page, so that a proxy may serve it under a prefix.
const address = (path) => new URL(path, document.baseURI);

async function request(path, body, signal) {
    const key = settings.get("apiKey");
    const response = await fetch(address(path), {
        method: body === undefined ? "GET" : "POST",
        headers: {
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
            ...(key ? { Authorization: `Bearer ${key}` } : {}),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
    });
    if (!response.ok) throw new ServerError(response.status, await messageOf(response));
    return response;
}

async function messageOf(response) {
    const text = await response.text();
    try {
        const { error } = JSON.parse(text);
        return error.message ?? String(error);
    } catch {
        return text.slice(0, 300) || `${response.status} ${response.statusText}`;
    }
}

/** The names of the models that the server has. */
export async function models() {
    const { data } = await (await request("v1/models")).json();
    return data.map((model) => model.id);
}

/** The LoRA adapters of a model: {id, name, scale}. */
export async function adapters(model) {
    return (await request(`lora-adapters?${new URLSearchParams(model ? { model } : {})}`)).json();
}

/** How many tokens the text is. */
export async function countTokens(text, model, signal) {
    const { tokens } = await (await request("tokenize", { content: text, model }, signal)).json();
    return tokens.length;
}

/** Streams the chunks of a chat completion or, for a `prompt`, of a plain completion. */
export async function* complete(body, signal) {
    const path = "messages" in body ? "v1/chat/completions" : "v1/completions";
    const stream = { ...body, stream: true, stream_options: { include_usage: true } };
    const response = await request(path, stream, signal);
    for await (const chunk of serverSentEvents(response.body)) {
        if (chunk.error) throw new ServerError(chunk.error.code ?? 500, chunk.error.message ?? String(chunk.error));
        yield chunk;
    }
}

/** An error in the user's words. */
export function inWords(error) {
    if (error instanceof ServerError) {
        switch (Number(error.status)) {
            case 401:
            case 403:
                return t("errorKey");
            case 404:
                return t("errorNotFound", error.message);
            case 413:
                return t("errorTooLarge");
            case 429:
                return t("errorBusy");
            case 503:
                return t("errorLoading", error.message);
            default:
                return t(error.status >= 400 && error.status < 500 ? "errorRequest" : "errorServer", error.message);
        }
    }
    // fetch() has no other kind for "no connection".
    if (error instanceof TypeError) return t(/fetch|load failed/i.test(error.message) ? "errorUnreachable" : "errorBroken");
    return t("errorPage", error.message);
}
