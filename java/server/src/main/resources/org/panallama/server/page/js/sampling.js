import { settings } from "./settings.js";

/** The sampling panel's numbers: the request's field, its text, range and where the slider rests while it is unset. */
export const NUMBERS = [
    { field: "temperature", text: "temperature", min: 0, max: 2, step: 0.05, rest: 0.8 },
    { field: "top_p", text: "topP", min: 0, max: 1, step: 0.01, rest: 0.95 },
    { field: "top_k", text: "topK", min: 0, max: 200, step: 1, rest: 40 },
    { field: "min_p", text: "minP", min: 0, max: 1, step: 0.01, rest: 0.05 },
    { field: "repeat_penalty", text: "repeatPenalty", min: 0.5, max: 2, step: 0.01, rest: 1 },
    { field: "max_tokens", text: "maxTokens", min: 1, max: 4096, step: 1, rest: 1024, open: true },
    { field: "seed", text: "seed", min: 0, max: 4294967294, step: 1, slider: false },
];

const ALTERNATIVES = 5;

/** The fields of a request that the panel sets. What the user left alone is left to the server. */
export function samplingFields(chat) {
    const fields = { ...settings.get("sampling") };
    const stop = (settings.get("stop") ?? "").split("\n").filter((line) => line !== "");
    if (stop.length) fields.stop = stop.map((line) => line.replaceAll("\\n", "\n"));
    if (settings.get("probabilities")) {
        Object.assign(fields, chat ? { logprobs: true, top_logprobs: ALTERNATIVES } : { logprobs: ALTERNATIVES });
    }
    return fields;
}

/** Keeps one number of the panel; null leaves it to the server again. */
export function setNumber(field, value) {
    const { [field]: _, ...rest } = settings.get("sampling") ?? {};
    settings.set("sampling", value === null ? rest : { ...rest, [field]: value });
}
