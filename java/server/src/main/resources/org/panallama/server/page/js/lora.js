// The LoRA adapters of the chosen model and how strongly the user wants each.

import { adapters } from "./api.js";
import { settings } from "./settings.js";

let known = [];

/** Asks the server which adapters the model has; without an answer there are none. */
export async function refreshAdapters() {
    try {
        known = await adapters(settings.get("model"));
    } catch {
        known = [];
    }
}

const keyOf = ({ name }) => `${settings.get("model")}/${name}`;

/** The adapters: {name, scale, choose(scale)}. */
export function adapterChoices() {
    return known.map((adapter) => ({
        name: adapter.name,
        scale: settings.get("lora")?.[keyOf(adapter)] ?? adapter.scale,
        choose: (scale) => settings.set("lora", { ...settings.get("lora"), [keyOf(adapter)]: scale }),
    }));
}

/**
 * The request's field, once the user chose: all of them, since the server switches off those that a request leaves out.
 */
export function loraField() {
    const chosen = settings.get("lora") ?? {};
    if (!known.some((adapter) => keyOf(adapter) in chosen)) return {};
    return { lora: adapterChoices().map(({ scale }, id) => ({ id, scale })) };
}
