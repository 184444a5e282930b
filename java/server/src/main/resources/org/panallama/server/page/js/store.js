// Conversations in IndexedDB, one record each.

const NAME = "panallama";
const STORE = "conversations";

function promised(request) {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

export class Store {
    #database;

    /** Opens the database; rejects where the browser forbids it. */
    static async open() {
        const request = indexedDB.open(NAME, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
        const store = new Store();
        store.#database = await promised(request);
        return store;
    }

    #records(mode) {
        return this.#database.transaction(STORE, mode).objectStore(STORE);
    }

    all() {
        return promised(this.#records("readonly").getAll());
    }

    put(conversation) {
        return promised(this.#records("readwrite").put(conversation));
    }

    remove(id) {
        return promised(this.#records("readwrite").delete(id));
    }
}

/** Keeps nothing: for a browser without a usable IndexedDB. */
export const FORGETFUL = { all: async () => [], put: async () => {}, remove: async () => {} };
