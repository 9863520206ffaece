import type { Command } from 'commander';

interface Actions {
  run(options: Readonly<Record<string, unknown>>): Promise<void>;
  bundle(): Promise<void>;
}
export function k6Command(actions: Actions, program?: Command): Command;
