/** Sleeping, and the timetable of a run. */
import { setTimeout } from 'k6/timers';
import { startsAt } from './settings.js';

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(() => resolve(), Math.max(ms, 0));
  });
}

/** Converts seconds since the beginning of a run to times. */
export interface Timetable {
  /** Milliseconds since 1970. */
  at(second: number): number;
  until(second: number): Promise<void>;
}

export function timetable(): Timetable {
  const start = startsAt();
  const at = (second: number): number => start + second * 1000;
  return { at, until: second => sleep(at(second) - Date.now()) };
}
