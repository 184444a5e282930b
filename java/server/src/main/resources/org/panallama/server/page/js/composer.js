// The message box: Enter sends, Shift+Enter makes a new line, and Enter that ends an input method's composition does
// neither.

import { $ } from "./dom.js";
import { t } from "./i18n.js";
import { TokenCount } from "./token-count.js";

export class Composer {
    #session;
    #thread;
    #text = $("text");
    #count = new TokenCount($("count"));

    constructor(session, thread) {
        this.#session = session;
        this.#thread = thread;
        this.#text.addEventListener("input", () => this.#changed());
        this.#text.addEventListener("keydown", (event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
                event.preventDefault();
                this.#send();
            }
        });
        $("composer").addEventListener("submit", (event) => {
            event.preventDefault();
            if (session.isRunning()) session.stop();
            else this.#send();
        });
        session.addEventListener("running", () => this.render());
        session.addEventListener("current", () => {
            this.render();
            this.focus();
        });
    }

    /** Where there is a mouse; on a phone the keyboard would cover half of the page. */
    focus() {
        if (this.#session.current.mode === "chat" && matchMedia("(hover: hover)").matches) this.#text.focus();
    }

    render() {
        const running = this.#session.isRunning();
        const button = $("send");
        button.classList.toggle("stopping", running);
        button.title = t(running ? "stop" : "send");
        button.setAttribute("aria-label", button.title);
        button.disabled = !running && !this.#text.value.trim();
    }

    #changed() {
        this.#count.of(this.#text.value);
        this.render();
    }

    #send() {
        const text = this.#text.value;
        if (!text.trim() || this.#session.isRunning()) return;
        this.#text.value = "";
        this.#changed();
        this.#thread.follow();
        this.#session.send(text);
    }
}
