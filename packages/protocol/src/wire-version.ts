/**
 * The version of what edges and presence write for each other: envelopes and reports (docs/decisions/0017). A node reads
 * this version and the one before. Each lease advertises, at the end of its name, the highest version that its node reads.
 */
export const WIRE_VERSION = 2;
export const PREVIOUS_WIRE_VERSION = WIRE_VERSION - 1;

/** Of nodes from before versions were advertised, and of envelopes without a version: those of services have none. */
export const FIRST_WIRE_VERSION = 1;

const ADVERTISED = /\.v(\d{1,9})$/;

/** The name of a lease whose node reads up to `version`: `edge-1/k3f.v2`. */
export function advertiseVersion(name: string, version: number): string {
  return `${name}.v${version}`;
}

/** The version that the name of a lease advertises. */
export function advertisedVersion(name: string): number {
  const [, version] = ADVERTISED.exec(name) ?? [];
  return version === undefined ? FIRST_WIRE_VERSION : Number(version);
}

/** Whether this release reads the version. */
export function isReadableVersion(version: unknown): boolean {
  return version === WIRE_VERSION || version === PREVIOUS_WIRE_VERSION;
}

/** The version of the two that this release writes, where the cluster writes `version`. */
export function writableVersion(version: number): number {
  return version >= WIRE_VERSION ? WIRE_VERSION : PREVIOUS_WIRE_VERSION;
}
