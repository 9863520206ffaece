/** The wire version of the cluster (docs/decisions/0016), as this instance knows it from poll to poll. */
import type { WireVersions } from '@hubbub/broker';
import { advertisedVersion, FIRST_WIRE_VERSION, writableVersion } from '@hubbub/protocol';

/** A node that this instance never can read must not make edges report again and again. */
export const UNREAD_RESYNC_MS = 60_000;

export class WireState {
  #versions: WireVersions = { written: FIRST_WIRE_VERSION, lowest: FIRST_WIRE_VERSION };
  #missedReports = false;
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

  /** Reports were in a version that this release does not read. */
  noteMissedReports(): void {
    this.#missedReports = true;
  }

  /** Whether every edge has to report its sessions again, because reports were missed. */
  takeResync(nowMs: number): boolean {
    if (!this.#missedReports || nowMs < this.#nextResyncMs) return false;
    this.#missedReports = false;
    this.#nextResyncMs = nowMs + UNREAD_RESYNC_MS;
    return true;
  }
}

/** The highest version that all instances of presence read. */
export function readByAll(instances: readonly string[]): number {
  return Math.min(...instances.map(advertisedVersion));
}
