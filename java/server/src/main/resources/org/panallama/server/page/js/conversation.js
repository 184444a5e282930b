// A conversation is a tree of turns: editing a message or asking again adds a sibling, and nothing is lost. Each node
// remembers which of its children is chosen; following the choices from the root gives what is on the screen.
//
// Plain objects throughout, since this is what IndexedDB and the exported file hold:
//   conversation: {id, mode: "chat", title, system, created, updated, nodes: {id: node}}
//   node: {id, parent, children: [id], chosen: index, role, text, …what the answer came with}
//   notebook: {id, mode: "notebook", title, created, updated, text, before, tokens, …}

export const ROOT = "root";

/** A random name; crypto.randomUUID is missing where the page is not served over https or from this machine. */
export function newId() {
    return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function newChat() {
    const root = { id: ROOT, parent: null, children: [], chosen: 0, role: "root", text: "" };
    return { ...named("chat"), system: "", nodes: { [ROOT]: root } };
}

export function newNotebook() {
    return { ...named("notebook"), text: "", before: null, tokens: [] };
}

function named(mode) {
    const now = Date.now();
    return { id: newId(), mode, title: "", created: now, updated: now };
}

/** Adds a turn below `parent` and chooses it. */
export function append(conversation, parent, role, text) {
    const node = { id: newId(), parent, children: [], chosen: 0, role, text };
    const above = conversation.nodes[parent];
    conversation.nodes[node.id] = node;
    above.chosen = above.children.push(node.id) - 1;
    conversation.title ||= titleOf(role === "user" ? text : "");
    return node;
}

/** The turns on the screen, first to last. */
export function path(conversation) {
    const turns = [];
    for (let node = conversation.nodes[ROOT]; node.children.length; turns.push(node)) {
        node = conversation.nodes[node.children[node.chosen]];
    }
    return turns;
}

/** The turns from the first down to this node. */
export function pathTo(conversation, id) {
    const turns = [];
    for (let node = conversation.nodes[id]; node.id !== ROOT; node = conversation.nodes[node.parent]) {
        turns.unshift(node);
    }
    return turns;
}

/** Which of its siblings a node is: {index, count}. */
export function branch(conversation, node) {
    const siblings = conversation.nodes[node.parent].children;
    return { index: siblings.indexOf(node.id), count: siblings.length };
}

/** Chooses the sibling `step` places from this node, stopping at the ends. */
export function chooseSibling(conversation, node, step) {
    const above = conversation.nodes[node.parent];
    const index = above.children.indexOf(node.id) + step;
    above.chosen = Math.max(0, Math.min(above.children.length - 1, index));
}

/** The first line, shortened, as a title. */
export function titleOf(text) {
    const line = text.trim().split("\n", 1)[0];
    const characters = Array.from(line);
    return characters.length > 48 ? characters.slice(0, 47).join("") + "…" : line;
}
