// The conversations and what is being generated in them. Views listen; nothing here touches the page.
//
// Events: "list" (a conversation came, went or was renamed), "current" (another one is shown), "tree" (its turns
// changed), "progress" (the text of detail.node, or of the notebook, grew), "running" (a generation began or ended),
// "saving" (a change is being stored, or all are), "problem" (detail.text is to be shown).

import { take } from "./answer.js";
import { complete, inWords } from "./api.js";
import { append, chooseSibling, newChat, newNotebook, path, pathTo, titleOf } from "./conversation.js";
import { t } from "./i18n.js";
import { loraField } from "./lora.js";
import { samplingFields } from "./sampling.js";
import { settings } from "./settings.js";

const SAVE_EVERY = 2000;

export class Session extends EventTarget {
    #store;
    #all = new Map();
    #runs = new Map();
    #writes = 0;
    current = null;

    constructor(store, conversations) {
        super();
        this.#store = store;
        for (const conversation of conversations) this.#all.set(conversation.id, conversation);
        this.current = this.list()[0] ?? this.#keep(newChat());
    }

    #tell(type, detail = {}) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }

    /** Newest first. */
    list() {
        return [...this.#all.values()].sort((a, b) => b.updated - a.updated);
    }

    /** Whether an answer for that conversation is on its way. */
    isRunning(conversation = this.current) {
        return this.#runs.has(conversation.id);
    }

    /** The node being written in the current conversation, or undefined. */
    get runningNode() {
        return this.#runs.get(this.current.id)?.target.id;
    }

    // Without a record: an empty conversation is not worth one.
    #keep(conversation) {
        this.#all.set(conversation.id, conversation);
        return conversation;
    }

    /** Whether something is not stored yet. */
    get saving() {
        return this.#writes > 0;
    }

    async #save(conversation) {
        if (this.#all.has(conversation.id)) await this.#write(() => this.#store.put(conversation));
    }

    async #write(change) {
        this.#writes++;
        this.#tell("saving");
        try {
            await change();
        } catch {
            this.#tell("problem", { text: t("storageFailed") });
        } finally {
            this.#writes--;
            this.#tell("saving");
        }
    }

    #changed(conversation) {
        conversation.updated = Date.now();
        this.#tell("list");
        return this.#save(conversation);
    }

    /** Shows another conversation; one that is left empty is forgotten. */
    show(id) {
        const left = this.current;
        this.current = this.#all.get(id);
        if (left !== this.current && isEmpty(left) && !left.system) this.#all.delete(left.id);
        this.#tell("current");
    }

    /** Starts an empty conversation, or shows the empty one that is there. */
    create(mode) {
        const empty = (other) => other.mode === mode && isEmpty(other);
        const fresh = this.list().find(empty) ?? this.#keep(mode === "chat" ? newChat() : newNotebook());
        fresh.updated = Date.now();
        this.#tell("list");
        this.show(fresh.id);
    }

    add(conversations) {
        for (const conversation of conversations) this.#save(this.#keep(conversation));
        this.#tell("list");
        if (conversations.length) this.show(conversations[0].id);
    }

    rename(conversation, title) {
        conversation.title = title;
        this.#tell("list");
        this.#save(conversation);
    }

    remove(conversation) {
        this.stop(conversation);
        this.#all.delete(conversation.id);
        this.#write(() => this.#store.remove(conversation.id));
        this.#tell("list");
        if (this.current === conversation) {
            this.show((this.list()[0] ?? this.#keep(newChat())).id);
            this.#tell("list");
        }
    }

    setSystem(text) {
        this.current.system = text;
        this.#save(this.current);
        this.#tell("tree");
    }

    // ---- chat

    /** Adds what the user said and has it answered. */
    send(text) {
        const last = path(this.current).at(-1);
        this.#answer(append(this.current, last?.id ?? "root", "user", text));
    }

    /** Answers the same message once more, beside the answer that is there. */
    regenerate(node) {
        if (this.isRunning()) return;
        this.#answer(node.role === "user" ? node : this.current.nodes[node.parent]);
    }

    /** Adds a changed turn beside the one that is there; a changed message is answered. */
    edit(node, text) {
        if (this.isRunning()) return;
        const changed = append(this.current, node.parent, node.role, text);
        if (node.role === "user") this.#answer(changed);
        else {
            this.#tell("tree");
            this.#changed(this.current);
        }
    }

    choose(node, step) {
        chooseSibling(this.current, node, step);
        this.#tell("tree");
        this.#save(this.current);
    }

    #answer(question) {
        const conversation = this.current;
        const turns = pathTo(conversation, question.id);
        const system = conversation.system ? [{ role: "system", content: conversation.system }] : [];
        const messages = [...system, ...turns.map(({ role, text }) => ({ role, content: text }))];
        const answer = append(conversation, question.id, "assistant", "");
        this.#tell("tree");
        return this.#generate(conversation, answer, { messages, ...samplingFields(true) });
    }

    // ---- notebook

    write(text) {
        const notebook = this.current;
        notebook.text = text;
        // The probabilities belong to a text that is no longer there.
        if (!text.startsWith(notebook.before ?? "")) notebook.before = null;
        if (!text.endsWith(generated(notebook))) notebook.tokens = [];
        if (!notebook.renamed) notebook.title = titleOf(text);
        this.#changed(notebook);
    }

    /** Continues the notebook's text. */
    continueText() {
        const notebook = this.current;
        Object.assign(notebook, { before: notebook.text, tokens: [], usage: undefined, speed: undefined });
        return this.#generate(notebook, notebook, { prompt: notebook.text, ...samplingFields(false) });
    }

    /** Takes the last continuation back. */
    takeBack() {
        const notebook = this.current;
        Object.assign(notebook, { text: notebook.before, before: null, tokens: [], usage: undefined });
        this.#tell("tree");
        this.#changed(notebook);
    }

    // ---- generation

    stop(conversation = this.current) {
        this.#runs.get(conversation.id)?.controller.abort();
    }

    async #generate(conversation, target, body) {
        const controller = new AbortController();
        const clock = { count: 0 };
        let saved = performance.now();
        this.#runs.set(conversation.id, { controller, target });
        Object.assign(target, { finish: undefined, error: undefined });
        this.#changed(conversation);
        this.#tell("running");
        try {
            const model = settings.get("model");
            for await (const chunk of complete({ ...(model ? { model } : {}), ...loraField(), ...body }, controller.signal)) {
                take(target, chunk, clock);
                this.#tell("progress", { conversation, node: target });
                if (performance.now() - saved > SAVE_EVERY) {
                    saved = performance.now();
                    this.#save(conversation);
                }
            }
            target.finish ??= "interrupted";
        } catch (error) {
            if (controller.signal.aborted) target.finish = "stopped";
            else Object.assign(target, { finish: "error", error: inWords(error) });
        } finally {
            this.#runs.delete(conversation.id);
            this.#changed(conversation);
            this.#tell("progress", { conversation, node: target });
            this.#tell("running");
        }
    }
}

function isEmpty(conversation) {
    if (conversation.title) return false;
    return conversation.mode === "chat" ? path(conversation).length === 0 : conversation.text === "";
}

/** What the last continuation added to a notebook. */
export function generated(notebook) {
    return notebook.before === null ? "" : notebook.text.slice(notebook.before.length);
}
