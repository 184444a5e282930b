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

    all() {
        return promised(this.#database.transaction(STORE).objectStore(STORE).getAll());
    }

    put(conversation) {
        return this.#write((records) => records.put(conversation));
    }

    remove(id) {
        return this.#write((records) => records.delete(id));
    }

    // Done when it is stored: a request succeeds before that, and a full disk or a page that is left undoes it.
    #write(change) {
        const transaction = this.#database.transaction(STORE, "readwrite");
        const stored = new Promise((resolve, reject) => {
            transaction.oncomplete = () => resolve();
            transaction.onabort = () => reject(transaction.error);
        });
        change(transaction.objectStore(STORE));
        transaction.commit();
        return stored;
    }
}

/** Keeps nothing: for a browser without a usable IndexedDB. */
export const FORGETFUL = { all: async () => [], put: async () => {}, remove: async () => {} };
