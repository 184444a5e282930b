/** The JSON values of a stream of server-sent events (https://html.spec.whatwg.org/#event-stream-interpretation). */
export async function* serverSentEvents(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            buffer += value;
            const events = buffer.split(/\r?\n\r?\n/);
            buffer = events.pop();
            for (const event of events) {
                const data = event
                    .split(/\r?\n/)
                    .filter((line) => line.startsWith("data:"))
                    .map((line) => line.slice(5).trimStart())
                    .join("\n");
                if (data === "[DONE]") return;
                if (data) yield JSON.parse(data);
            }
        }
    } finally {
        // Ends the request when the caller stopped reading.
        reader.cancel().catch(() => {});
    }
}
