/** Parts of an application that fragments of the documentation use and do not declare. */
declare const url: string;
declare const token: string;
declare const client: import('@hubbub/client').HubbubClient;
declare const room: import('@hubbub/client').Room;
/** Chosen in an `<input type="file">`. */
declare const file: File;
declare function showState(state: string, delayMs?: number): void;
declare function showMessage(name: string, content: unknown): void;
declare function showMessages(frames: readonly import('@hubbub/client').Frame[]): void;
declare function showUsers(users: readonly import('@hubbub/client').RosterUser[], count: number): void;
/** Loads what the page shows from the application's own service. */
declare function reload(): void;
