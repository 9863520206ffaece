/** Logs why clients are refused: at most one line a second for each reason, and never a token. */
import { beginningOf, type ErrorCode, HubbubError, toWellFormed } from '@hubbub/protocol';
import { type Logger, occasionally, spanFieldsOf } from '@hubbub/runtime';
import { LimitExceeded, type LimitName } from '../limits/limit-exceeded.js';
import type { UpgradeRequest } from './admission.js';

export type RefusedRequest = Pick<UpgradeRequest, 'address' | 'host' | 'origin' | 'pathRoom'>;

/** The part of a session that a line names. */
export interface RefusedSession {
  readonly id: string;
  readonly user: { readonly id: string };
  readonly address?: string | undefined;
}

export interface RefusalLog {
  /** Logs a refused request. Returns its error; for a fault of the edge, which is any error of another class, `UNAVAILABLE`. */
  connection(error: unknown, request: RefusedRequest): HubbubError;
  /** Logs a refused frame, or a refused room of a `resume`. */
  frame(error: HubbubError, type: string, session: RefusedSession): void;
}

const INTERVAL_MS = 1000;
const FAULT_INTERVAL_MS = 10_000;
const TEXT_MAX_LENGTH = 200;

export function createRefusalLog(log: Logger): RefusalLog {
  const connection = byReason((suppressed, error, request: RefusedRequest) => {
    const { address, origin, host, pathRoom } = request;
    log.warn(
      {
        event: 'connection_refused',
        code: error.code,
        limit: limitOf(error),
        reason: shortened(withoutTokens(error.message)),
        address,
        origin: shortened(origin),
        host: shortened(host),
        room: shortened(pathRoom),
        suppressed,
      },
      'refused a connection',
    );
  });
  const frame = byReason((suppressed, error, type: string, { id, user, address }: RefusedSession) =>
    log.warn(
      {
        event: 'frame_refused',
        code: error.code,
        limit: limitOf(error),
        reason: shortened(withoutTokens(error.message)),
        type,
        session: id,
        user: user.id,
        address,
        suppressed,
        ...spanFieldsOf(error),
      },
      'refused a frame',
    ),
  );
  const fault = occasionally(FAULT_INTERVAL_MS, (suppressed, error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error({ event: 'admission_failed', err: withoutTokens(text), suppressed }, 'could not process a handshake');
  });
  return {
    connection(error, request) {
      if (!(error instanceof HubbubError)) fault(error);
      const refusal =
        error instanceof HubbubError ? error : new HubbubError('UNAVAILABLE', 'This cannot be answered now.');
      connection(refusal, request);
      return refusal;
    },
    frame,
  };
}

/** Lines are counted by limit or error code: there are few, so the memory is bounded. */
function byReason<Facts extends unknown[]>(
  write: (suppressed: number, error: HubbubError, ...facts: Facts) => void,
): (error: HubbubError, ...facts: Facts) => void {
  const lines = new Map<LimitName | ErrorCode, (error: HubbubError, ...facts: Facts) => void>();
  return (error, ...facts) => {
    const reason = limitOf(error) ?? error.code;
    let line = lines.get(reason);
    if (line === undefined) {
      line = occasionally<[HubbubError, ...Facts]>(INTERVAL_MS, write);
      lines.set(reason, line);
    }
    line(error, ...facts);
  };
}

function limitOf(error: HubbubError): LimitName | undefined {
  return error instanceof LimitExceeded ? error.limit : undefined;
}

/** `undefined` for an empty text: the line does not have the field then. */
function shortened(text = ''): string | undefined {
  return text === '' ? undefined : toWellFormed(beginningOf(text, TEXT_MAX_LENGTH));
}

/** Begins where a word begins, and nowhere in it: else each letter of a long word without a dot would begin a search. */
const TOKEN = /(?<![\w-])[\w-]+\.[\w-]{8,}\.[\w-]*/g;

/** Errors of libraries may quote their input. */
export function withoutTokens(text: string): string {
  return text.replace(TOKEN, '[token]');
}
