// The list of conversations, and their way into and out of a file.

import { $, el, icon, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { toast } from "./toast.js";
import { exported, imported, save } from "./transfer.js";

export class Sidebar {
    #session;
    #drawers;
    #isRenaming = false;

    constructor(session, drawers) {
        this.#session = session;
        this.#drawers = drawers;
        $("new-chat").addEventListener("click", () => this.#open(() => session.create("chat")));
        $("new-notebook").addEventListener("click", () => this.#open(() => session.create("notebook")));
        $("export").addEventListener("click", () => {
            const day = new Date().toISOString().slice(0, 10);
            save(`panallama-${day}.json`, exported(session.list()));
        });
        $("import").addEventListener("click", () => $("import-file").click());
        $("import-file").addEventListener("change", () => this.#import());
        session.addEventListener("list", () => this.render());
        session.addEventListener("current", () => this.render());
        session.addEventListener("running", () => this.render());
    }

    #open(action) {
        this.#drawers.close();
        action();
    }

    /** Draws the list as it is now, but not while a name is being typed into it. */
    render() {
        if (this.#isRenaming) return;
        $("conversation-list").replaceChildren(...this.#session.list().map((conversation) => this.#item(conversation)));
    }

    #item(conversation) {
        const session = this.#session;
        const title = titleOf(conversation);
        const isCurrent = conversation === session.current;
        const row = el(
            "li",
            { class: session.isRunning(conversation) ? "running" : "" },
            el(
                "button",
                {
                    type: "button",
                    class: "open",
                    "aria-current": isCurrent ? "true" : "false",
                    onclick: () => this.#open(() => session.show(conversation.id)),
                },
                icon(conversation.mode === "chat" ? "chat" : "notebook"),
                el("span", {}, title),
            ),
            iconButton("edit", t("rename"), () => this.#rename(row, conversation)),
            iconButton("trash", t("remove"), () => {
                session.remove(conversation);
                $("conversation-list").querySelector("[aria-current='true']").focus();
                toast(t("removed", title), { label: t("undo"), run: () => session.add([conversation]) });
            }),
        );
        return row;
    }

    #rename(row, conversation) {
        const input = el("input", { value: titleOf(conversation), "aria-label": t("rename") });
        const finish = (keep) => {
            if (!this.#isRenaming) return;
            this.#isRenaming = false;
            if (keep && input.value.trim()) {
                conversation.renamed = true;
                this.#session.rename(conversation, input.value.trim());
            } else this.render();
        };
        input.addEventListener("keydown", (event) => {
            if (event.isComposing) return;
            if (event.key === "Enter") finish(true);
            if (event.key === "Escape") {
                event.stopPropagation();
                finish(false);
            }
        });
        input.addEventListener("blur", () => finish(true));
        row.replaceChildren(input);
        this.#isRenaming = true;
        input.select();
    }

    async #import() {
        const input = $("import-file");
        const [file] = input.files;
        input.value = "";
        try {
            const conversations = imported(await file.text(), new Set(this.#session.list().map(({ id }) => id)));
            this.#session.add(conversations);
            this.#drawers.close();
            toast(t("imported", conversations.length));
        } catch (error) {
            toast(t("importFailed", error.message), { isError: true });
        }
    }
}

function titleOf({ title, mode }) {
    return title || t(mode === "chat" ? "untitledChat" : "untitledNotebook");
}
