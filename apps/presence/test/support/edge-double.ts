/** An edge as presence sees it: it reports under a lease and receives from the broker. No sockets. */
import { randomBytes } from 'node:crypto';
import type { NodeLeases, ReportLog } from '@hubbub/broker';
import { decodeEnvelope, encodeReports, partitionOf, type Report } from '@hubbub/protocol';

export interface HeardFrame {
  readonly channel: string;
  readonly type: string;
  readonly payload: Record<string, unknown>;
  readonly excludeSession?: string;
  readonly sessions?: readonly string[];
  readonly id?: string;
}

/** Reads the envelope that presence published. */
export function readEnvelope(channel: string, bytes: Uint8Array): HeardFrame {
  const envelope = decodeEnvelope(bytes);
  if (envelope === undefined) throw new Error(`Presence published a malformed envelope on ${channel}.`);
  const frame = JSON.parse(Buffer.from(envelope.body).toString());
  const { excludeSession, sessions } = envelope;
  return {
    channel,
    type: frame.type,
    payload: frame.payload,
    ...(frame.id !== undefined && { id: frame.id }),
    ...(excludeSession !== undefined && { excludeSession }),
    ...(sessions !== undefined && { sessions }),
  };
}

export class EdgeDouble {
  readonly nodeId: string;
  readonly #log: ReportLog;
  readonly #leases: NodeLeases;
  #incarnation = '';
  #renewal: NodeJS.Timeout | undefined;

  constructor(nodeId: string, log: ReportLog, leases: NodeLeases) {
    this.nodeId = nodeId;
    this.#log = log;
    this.#leases = leases;
  }

  get incarnation(): string {
    return this.#incarnation;
  }

  async live(): Promise<void> {
    this.#incarnation = `${this.nodeId}/${randomBytes(4).toString('hex')}`;
    await this.#leases.register(this.#incarnation);
    this.#renewal = setInterval(
      () => void this.#leases.renew(this.#incarnation).catch(() => {}), // Redis may be away in a story.
      this.#leases.leaseMs / 4,
    );
  }

  /** Goes silent, as after kill -9. */
  die(): void {
    clearInterval(this.#renewal);
  }

  async report(...reports: Report[]): Promise<void> {
    const entries = reports.map(report => ({
      partition: partitionOf(
        'room' in report && report.kind !== 'enter' && report.kind !== 'exit'
          ? report.room
          : 'user' in report
            ? report.user
            : '',
      ),
      text: encodeReports({ incarnation: this.#incarnation, reports: [report] }),
    }));
    await this.#log.append(entries);
  }

  join(session: string, user: string, room: string): Promise<void> {
    return this.report(
      { kind: 'connect', session, user },
      { kind: 'join', room, session, user, name: user },
      { kind: 'enter', session, user, room },
    );
  }
}
