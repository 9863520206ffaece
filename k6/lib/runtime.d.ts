/** The globals of k6 that the scripts use. */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}

declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}

declare const console: { error(words: string): void };
