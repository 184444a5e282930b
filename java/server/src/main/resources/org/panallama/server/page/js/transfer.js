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
const isOptional = (value, is) => value === undefined || is(value);

function isConversation(value) {
    if (!value || ![value.id, value.title].every(isText)) return false;
    if (![value.created, value.updated].every(Number.isFinite)) return false;
    if (value.mode === "notebook") return isNotebook(value);
    return value.mode === "chat" && isText(value.system) && isTree(value.nodes);
}

function isNotebook(value) {
    return isAnswer(value) && (value.before === null || (isText(value.before) && value.text.startsWith(value.before)));
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
        isAnswer(node) &&
        (node.id === ROOT || node.role === "user" || node.role === "assistant") &&
        Array.isArray(node.children) &&
        Number.isInteger(node.chosen) &&
        node.chosen >= 0 &&
        node.chosen < Math.max(1, node.children.length)
    );
}

// What answer.js collects.
function isAnswer({ text, reasoning, tokens, model, finish, error, speed, usage }) {
    return (
        isText(text) &&
        [reasoning, model, finish, error].every((value) => isOptional(value, isText)) &&
        isOptional(speed, Number.isFinite) &&
        isOptional(usage, isUsage) &&
        isOptional(tokens, (list) => Array.isArray(list) && list.every(isToken))
    );
}

function isUsage(usage) {
    return usage && [usage.prompt, usage.completion, usage.cached].every(Number.isFinite);
}

function isToken(token) {
    const isCandidate = (value) => Array.isArray(value) && isText(value[0]) && Number.isFinite(value[1]);
    return isCandidate(token) && Array.isArray(token[2]) && token[2].every(isCandidate);
}
