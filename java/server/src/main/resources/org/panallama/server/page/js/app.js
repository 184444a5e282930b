// Puts the page together.

import { Composer } from "./composer.js";
import { $ } from "./dom.js";
import { Drawers } from "./drawers.js";
import { language, t, translate } from "./i18n.js";
import { listenForModels, refreshModels } from "./model-choice.js";
import { Notebook } from "./notebook.js";
import { Panel } from "./panel.js";
import { Session } from "./session.js";
import { settings } from "./settings.js";
import { Sidebar } from "./sidebar.js";
import { FORGETFUL, Store } from "./store.js";
import { applyTheme, nextTheme } from "./theme.js";
import { Thread } from "./thread.js";
import { toast } from "./toast.js";

async function openStore() {
    try {
        return await Store.open();
    } catch {
        toast(t("storageFailed"), { isError: true });
        return FORGETFUL;
    }
}

const store = await openStore();
const session = new Session(store, await store.all());
const drawers = new Drawers();
const thread = new Thread(session);
const composer = new Composer(session, thread);
const views = [thread, composer, new Notebook(session), new Sidebar(session, drawers), new Panel(session)];
const panel = views.at(-1);

function render() {
    translate();
    applyTheme();
    for (const view of views) view.render();
}

$("theme").addEventListener("click", nextTheme);
$("language").addEventListener("click", () => settings.set("language", language() === "zh" ? "en" : "zh"));
settings.addEventListener("language", render);
settings.addEventListener("model", () => panel.refresh());
settings.addEventListener("apiKey", () => refreshModels());
session.addEventListener("problem", ({ detail }) => toast(detail.text, { isError: true }));
session.addEventListener("saving", () => document.documentElement.toggleAttribute("data-saving", session.saving));
listenForModels();

window.addEventListener("beforeunload", (event) => {
    if (session.saving) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    if (!drawers.close()) session.stop();
});

render();
composer.focus();
document.documentElement.dataset.ready = "true";
await refreshModels();
