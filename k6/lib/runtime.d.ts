/** What k6 gives to scripts beside its modules, as far as it is used here. */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}

declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}

declare const console: { error(words: string): void };
