/** The wire version of the cluster (docs/decisions/0017), as this instance knows it from poll to poll. */
import type { WireVersions } from '@hubbub/broker';
import { advertisedVersion, FIRST_WIRE_VERSION, writableVersion } from '@hubbub/protocol';

/** An edge whose reports stay unreadable must not report again and again. */
export const UNREAD_RESYNC_MS = 60_000;
/** Any program could write names into the log. */
const UNREAD_MAX = 1000;

export class WireState {
  #versions: WireVersions = { written: FIRST_WIRE_VERSION, lowest: FIRST_WIRE_VERSION };
  readonly #unread = new Set<string>();
  #nextResyncMs = 0;

  /** The version in which this instance writes. */
  get written(): number {
    return writableVersion(this.#versions.written);
  }

  /** The highest version that every living node reads. */
  get lowest(): number {
    return this.#versions.lowest;
  }

  update(versions: WireVersions): void {
    this.#versions = versions;
  }

  /** Reports of this incarnation were in a version that this release does not read. */
  noteMissedReports(incarnation: string): void {
    if (this.#unread.size < UNREAD_MAX) this.#unread.add(incarnation);
  }

  /** The incarnations whose edges have to report all their sessions again, once in `UNREAD_RESYNC_MS`. */
  takeMissed(nowMs: number): string[] {
    if (this.#unread.size === 0 || nowMs < this.#nextResyncMs) return [];
    this.#nextResyncMs = nowMs + UNREAD_RESYNC_MS;
    const incarnations = [...this.#unread];
    this.#unread.clear();
    return incarnations;
  }
}

/** The highest version that all instances of presence read. */
export function readByAll(instances: readonly string[]): number {
  return Math.min(...instances.map(advertisedVersion));
}
