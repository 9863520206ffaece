/**
 * Reads the body of a response as text. Counts bytes as they arrive, after decompression: 256 KiB can expand to 256 MiB.
 * @throws {Error} the error that `tooLarge` returns, if the text exceeds `maxBytes`
 */
export async function readText(response: Response, maxBytes: number, tooLarge: () => Error): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(); // Leaving the loop ends the connection.
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
