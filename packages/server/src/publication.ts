/** What a service publishes: checked here, where the mistake is made, and encoded once for all edges. */
import { encodeEnvelope, HubbubError, jsonCodec } from '@hubbub/protocol';
import { parseServiceMessage, type ServiceMessage } from '@hubbub/protocol/service-message';

/** One message of a service, and who does not get it. */
export interface Publication extends ServiceMessage {
  /** A session that does not get it. */
  readonly excludeSession?: string;
}

/** @throws {HubbubError} `INVALID_FORMAT`, `INVALID_PAYLOAD` or `TOO_LARGE`, saying which field is wrong. */
export function encodePublication(publication: Publication, maxMessageBytes: number): Uint8Array {
  const now = new Date();
  const { excludeSession } = publication;
  const body = jsonCodec.encode({ timestamp: now.toISOString(), ...parseServiceMessage(publication) });
  if (body.length > maxMessageBytes) {
    throw new HubbubError(
      'TOO_LARGE',
      `The message has ${body.length} bytes, more than maxMessageBytes (${maxMessageBytes}).`,
    );
  }
  const header = { encoding: 'json', publishedAtMs: now.getTime() } as const;
  return encodeEnvelope(excludeSession === undefined ? header : { ...header, excludeSession }, body);
}
