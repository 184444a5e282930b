// Plain completion: a text that the model continues where it ends.

import { $ } from "./dom.js";
import { t } from "./i18n.js";
import { figures } from "./message.js";
import { tokenView } from "./probabilities.js";
import { generated } from "./session.js";
import { TokenCount } from "./token-count.js";

export class Notebook {
    #session;
    #text = $("notebook-text");
    #count = new TokenCount($("notebook-count"));
    #frame = 0;
    #asTokens = false;

    constructor(session) {
        this.#session = session;
        this.#text.addEventListener("input", () => {
            session.write(this.#text.value);
            this.#renderButtons();
            this.#count.of(this.#text.value);
        });
        this.#text.addEventListener("keydown", (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
                event.preventDefault();
                this.#continue();
            }
        });
        $("continue").addEventListener("click", () => (session.isRunning() ? session.stop() : this.#continue()));
        $("take-back").addEventListener("click", () => session.takeBack());
        $("once-more").addEventListener("click", () => {
            session.takeBack();
            this.#continue();
        });
        for (const [id, asTokens] of [
            ["view-text", false],
            ["view-tokens", true],
        ]) {
            $(id).addEventListener("click", () => {
                this.#asTokens = asTokens;
                this.render();
            });
        }
        session.addEventListener("current", () => this.render());
        session.addEventListener("tree", () => this.render());
        session.addEventListener("running", () => this.render());
        session.addEventListener("progress", ({ detail }) => {
            if (detail.node === session.current) this.#frame ||= requestAnimationFrame(() => this.#grow());
        });
    }

    #grow() {
        this.#frame = 0;
        if (this.#session.current.mode !== "notebook") return;
        const area = this.#text;
        const atEnd = area.scrollHeight - area.scrollTop - area.clientHeight < 80;
        area.value = this.#session.current.text;
        if (atEnd) area.scrollTop = area.scrollHeight;
    }

    #continue() {
        if (this.#session.isRunning()) return;
        this.#asTokens = false;
        this.#session.continueText();
    }

    render() {
        const notebook = this.#session.current;
        $("notebook").hidden = notebook.mode !== "notebook";
        if (notebook.mode !== "notebook") return;
        const running = this.#session.isRunning();
        if (this.#text.value !== notebook.text) this.#text.value = notebook.text;
        this.#text.readOnly = running;
        this.#text.hidden = this.#asTokens;
        $("notebook-tokens").hidden = !this.#asTokens;
        if (this.#asTokens) this.#renderTokens(notebook);
        $("view-text").setAttribute("aria-pressed", String(!this.#asTokens));
        $("view-tokens").setAttribute("aria-pressed", String(this.#asTokens));
        $("notebook-error").textContent = notebook.error ?? "";
        $("notebook-error").hidden = !notebook.error;
        $("notebook-figures").replaceChildren(running ? "" : figures(notebook));
        this.#count.of(running ? "" : notebook.text);
        this.#renderButtons();
    }

    #renderButtons() {
        const running = this.#session.isRunning();
        $("continue").classList.toggle("stopping", running);
        $("continue-label").textContent = t(running ? "stop" : "generate");
        $("take-back").disabled = $("once-more").disabled = running || !generated(this.#session.current);
    }

    #renderTokens(notebook) {
        const tokens = notebook.tokens ?? [];
        $("notebook-tokens").replaceChildren(
            ...(tokens.length ? [notebook.before ?? "", tokenView(tokens)] : [t("noProbabilities")]),
        );
    }
}
