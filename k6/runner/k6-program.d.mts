export const K6_VERSION: string;
export interface K6Program {
  readonly path: string;
  readonly version: string;
}
export function findK6(): K6Program | undefined;
export function howToGetK6(): string;
export function canBuildK6(): boolean;
export function buildK6(): Promise<K6Program>;
