/** Fetches a text from a server of the operator's, bounded in size. */

/**
 * Reads the body of a 200. Counts its bytes as they arrive, after decompression: 256 KiB can expand to 256 MiB.
 * @throws {Error} the one that `failure` returns, for another status or a larger text; or the error of `fetch`
 */
export async function fetchText(
  url: string,
  init: RequestInit,
  maxBytes: number,
  failure: (reason: 'status' | 'too_large', status: number) => Error,
): Promise<string> {
  const response = await fetch(url, init);
  const { status, body } = response;
  if (status !== 200) {
    await body?.cancel();
    throw failure('status', status);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw failure('too_large', status); // Leaving the loop ends the connection.
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
