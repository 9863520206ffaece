/**
 * Reads the body of an answer as text. Counts as it comes and after unpacking: 256 KiB unpack to 256 MiB.
 * @throws {Error} what `tooLarge` returns, above `maxBytes`
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
