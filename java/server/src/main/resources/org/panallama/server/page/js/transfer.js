// Export and import of conversations as a JSON file.

import { newId, ROOT } from "./conversation.js";
import { t } from "./i18n.js";

const FORMAT = "panallama-conversations";
const VERSION = 1;

/** The file's text. */
export function exported(conversations) {
    return JSON.stringify({ format: FORMAT, version: VERSION, conversations }, null, 2);
}

/**
 * The conversations in a file, under new names where `taken` has theirs. Throws an Error in the user's words when the
 * file is not ours or a conversation in it does not hold together.
 */
export function imported(text, taken) {
    let file;
    try {
        file = JSON.parse(text);
    } catch {
        throw new Error(t("importNotJson"));
    }
    if (file?.format !== FORMAT || file.version !== VERSION || !Array.isArray(file.conversations)) {
        throw new Error(t("importNotOurs"));
    }
    return file.conversations.map((conversation, index) => {
        if (!isConversation(conversation)) throw new Error(t("importDamaged", index + 1));
        return taken.has(conversation.id) ? { ...conversation, id: newId() } : conversation;
    });
}

/** Offers a text as a file to save. */
export function save(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
}

const isText = (value) => typeof value === "string";

function isConversation(value) {
    if (!value || ![value.id, value.title].every(isText)) return false;
    if (![value.created, value.updated].every(Number.isFinite)) return false;
    if (value.mode === "notebook") return isText(value.text) && isTokens(value.tokens);
    return value.mode === "chat" && isText(value.system) && isTree(value.nodes);
}

// Every node is reached from the root exactly once, so there are no cycles, and nothing points at nothing.
function isTree(nodes) {
    if (!nodes || typeof nodes !== "object" || !Object.hasOwn(nodes, ROOT)) return false;
    const seen = new Set();
    const waiting = [[ROOT, null]];
    while (waiting.length) {
        const [id, parent] = waiting.pop();
        const node = Object.hasOwn(nodes, id) && nodes[id];
        if (!node || seen.has(id) || !isNode(node) || node.id !== id || node.parent !== parent) return false;
        seen.add(id);
        for (const child of node.children) waiting.push([child, id]);
    }
    return seen.size === Object.keys(nodes).length;
}

function isNode(node) {
    return (
        isText(node.text) &&
        (node.id === ROOT || node.role === "user" || node.role === "assistant") &&
        Array.isArray(node.children) &&
        Number.isInteger(node.chosen) &&
        node.chosen >= 0 &&
        node.chosen < Math.max(1, node.children.length) &&
        isTokens(node.tokens) &&
        [node.reasoning, node.model, node.finish, node.error].every((value) => value === undefined || isText(value)) &&
        (node.speed === undefined || Number.isFinite(node.speed)) &&
        (node.usage === undefined || [node.usage.prompt, node.usage.completion].every(Number.isFinite))
    );
}

function isTokens(tokens) {
    if (tokens === undefined) return true;
    const isToken = (entry) => Array.isArray(entry) && isText(entry[0]) && Number.isFinite(entry[1]);
    return Array.isArray(tokens) && tokens.every((entry) => isToken(entry) && Array.isArray(entry[2]) && entry[2].every(isToken));
}
