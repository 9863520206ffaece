/** Where a page of the registry ended: a partition, and the place in its hash. */
import { HubbubError } from '@hubbub/protocol';

export interface RegistryCursor {
  readonly partition: number;
  /** Of HSCAN; `0` is the beginning. */
  readonly scan: string;
}

const CURSOR = /^(\d{1,4})\.(\d{1,20})$/;

export function encodeCursor({ partition, scan }: RegistryCursor): string {
  return `${partition}.${scan}`;
}

/** @throws {HubbubError} `INVALID_FORMAT` when it is malformed. */
export function decodeCursor(text: string | undefined): RegistryCursor {
  if (text === undefined) return { partition: 0, scan: '0' };
  const [, partition, scan] = CURSOR.exec(text) ?? [];
  if (partition === undefined || scan === undefined) {
    throw new HubbubError('INVALID_FORMAT', 'cursor: take the `next` of the page before.');
  }
  return { partition: Number(partition), scan };
}
