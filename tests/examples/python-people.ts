/** People whose client is examples/python-client, driven by lines of JSON. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Frame } from '@hubbub/protocol';
import type { LogLine, Match } from '@hubbub/tools/kit';
import { cleanup } from '../support/cleanup.js';
import { TestProcess } from '../support/process.js';

const FOLDER = fileURLToPath(new URL('../../examples/python-client/', import.meta.url));

const WANTED = '{"wanted": "token"}';

export const REQUIREMENTS = `${FOLDER}requirements.txt`;

export interface PythonPersonOptions {
  /** The program, from `provisionPython`. */
  readonly python: string;
  /** Addresses to connect to, one after the other. */
  readonly urls: readonly string[];
  /** The token for the client's request number `index`, counted from 0. Without one the request stays unanswered. */
  readonly token: (index: number) => string | undefined;
  readonly encoding?: 'json' | 'msgpack';
}

export class PythonPerson {
  readonly process: TestProcess;
  #tokensWanted = 0;
  #commands = 0;

  constructor({ python, urls, token, encoding = 'json' }: PythonPersonOptions) {
    const child = spawn(python, ['-B', `${FOLDER}lines.py`, '--encoding', encoding, ...urls], {
      env: { ...process.env, NO_PROXY: '127.0.0.1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => {}); // The program may end by itself; its waiters then fail.
    this.process = new TestProcess('the Python client', child);
    cleanup(() => this.process.kill());
    createInterface({ input: child.stdout }).on('line', line => {
      const answer = line === WANTED ? token(this.#tokensWanted++) : undefined;
      if (answer !== undefined) this.#write({ token: answer });
    });
  }

  /** The frames that the program has handed to its application. */
  get frames(): readonly Frame[] {
    return this.process.output.logs.flatMap(({ frame }) => (frame === undefined ? [] : [frame as Frame]));
  }

  /** Executes a command of lines.py, and returns its result. @throws {Error} with the code of a refusal. */
  async execute(command: object): Promise<unknown> {
    this.#commands++;
    const id = this.#commands;
    this.#write({ id, ...command });
    const { result, error } = await this.#line({ answer: id });
    if (error !== undefined) throw new Error(String(error));
    return result;
  }

  /** Waits for a frame; it may have come already. */
  async frame(match: Match<Frame> & object): Promise<Frame> {
    return (await this.#line({ frame: match })).frame as Frame;
  }

  /** Waits for a notice with these details; it may have come already. */
  async notice(name: string, details: object = {}): Promise<Readonly<Record<string, unknown>>> {
    return (await this.#line({ notice: name, details })).details as Readonly<Record<string, unknown>>;
  }

  /** The details of the notices of this name that have come. */
  notices(name: string): readonly Readonly<Record<string, unknown>>[] {
    const found = this.process.output.logs.filter(({ notice }) => notice === name);
    return found.map(({ details }) => details as Readonly<Record<string, unknown>>);
  }

  #line(match: object): Promise<LogLine> {
    return this.process.orExit(this.process.output.waitForLog(match as Match<LogLine>));
  }

  #write(line: object): void {
    this.process.child.stdin?.write(`${JSON.stringify(line)}\n`);
  }
}
