/** Where the hub is, and a client for it: pages spread over the edges, or use the edge of `?edge=n`. */
import { HubbubClient, type TokenOption } from '@hubbub/client';

interface PageConfig {
  readonly title: string;
  /** Such as `ws://127.0.0.1:9001`. */
  readonly edges: readonly string[];
}

let config: Promise<PageConfig> | undefined;

function pageConfig(): Promise<PageConfig> {
  config ??= fetch('/config.json').then(response => response.json());
  return config;
}

/**
 * A client of one of the edges, not yet connected.
 * @param path such as `/ws`
 * @param token not given: a session without a token
 */
export async function hubClient(path: string, token?: TokenOption): Promise<HubbubClient> {
  const { edges } = await pageConfig();
  const wanted = new URLSearchParams(location.search).get('edge');
  const index = wanted === null ? Math.floor(Math.random() * edges.length) : Number(wanted) % edges.length;
  return new HubbubClient({ url: `${edges[index]}${path}`, ...(token !== undefined && { token }) });
}

/** Asks the service. @throws {Error} with words for people */
export async function ask<Answer>(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const init =
    body === undefined
      ? { headers }
      : { body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } };
  let response: Response;
  try {
    response = await fetch(path, { method, ...init });
  } catch {
    throw new Error('The service does not answer. It may be restarting: try again in a moment.');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The service answers ${response.status}.`);
  return answer as Answer;
}
