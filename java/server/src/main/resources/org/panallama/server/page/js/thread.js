// The turns of the current chat, from the first to the last along the chosen branches.

import { path } from "./conversation.js";
import { $, el } from "./dom.js";
import { t } from "./i18n.js";
import { MessageView } from "./message.js";
import { settings } from "./settings.js";

const NEAR_END = 80;

export class Thread {
    #session;
    #views = new Map();
    #frame = 0;
    #following = true;
    #scroller = $("thread");
    #list = $("messages");

    constructor(session) {
        this.#session = session;
        session.addEventListener("current", () => {
            this.#views.clear();
            this.#following = true;
            this.render();
        });
        session.addEventListener("tree", () => this.render());
        settings.addEventListener("language", () => this.#views.clear());
        session.addEventListener("running", () => this.#runningChanged());
        session.addEventListener("progress", ({ detail }) => this.#progress(detail.node.id));
        this.#scroller.addEventListener("scroll", () => {
            const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
            this.#following = scrollHeight - scrollTop - clientHeight < NEAR_END;
            $("to-end").hidden = this.#following;
        });
        $("to-end").addEventListener("click", () => this.follow());
    }

    /** Draws the turns anew, keeping the views of those that stay. */
    render() {
        const chat = this.#session.current;
        const isChat = chat.mode === "chat";
        $("chat").hidden = !isChat;
        if (!isChat) return;
        const turns = path(chat);
        const views = new Map();
        for (const node of turns) {
            const view = this.#views.get(node.id) ?? new MessageView(this.#session, node);
            view.render();
            views.set(node.id, view);
        }
        this.#views = views;
        const system = chat.system && el("p", { class: "system" }, el("strong", {}, t("systemMessage")), " ", chat.system);
        this.#list.replaceChildren(...(system ? [system] : []), ...[...views.values()].map((view) => view.element));
        $("chat").classList.toggle("empty", turns.length === 0);
        this.#scrollIfFollowing();
    }

    /** Goes to the end, and stays there while an answer grows. */
    follow() {
        this.#following = true;
        this.#scrollIfFollowing();
    }

    #runningChanged() {
        for (const view of this.#views.values()) view.render();
        $("announcer").textContent = t(this.#session.isRunning() ? "waiting" : "answerDone");
        this.#scrollIfFollowing();
    }

    // At most one drawing a frame, however fast the tokens come.
    #progress(id) {
        this.#frame ||= requestAnimationFrame(() => {
            this.#frame = 0;
            this.#views.get(id)?.showText();
            this.#scrollIfFollowing();
        });
    }

    #scrollIfFollowing() {
        if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
        $("to-end").hidden = this.#following;
    }
}
