/** The frame of every long-running command: logger, metrics, admin port, the report that it is up, shutdown. */
import {
  type Config,
  childEnvironment,
  createRequestSources,
  loadConfig,
  memoryLimitBytes,
  type Settings,
} from '@hubbub/config';
import {
  createLogger,
  createMetricsRegistry,
  type ListenAddress,
  type Logger,
  type MetricsRegistry,
  metricsKit,
  onShutdownSignal,
  type ProcessLogger,
  type Readiness,
  type Tracing,
} from '@hubbub/runtime';
import { type AdminRoutes, type AdminServerOptions, startAdminServer } from '@hubbub/runtime/http';
import { openTracing } from './tracing.js';
import { VERSION } from './version.js';

export interface ProcessParts {
  readonly config: Config;
  readonly log: ProcessLogger;
  readonly metrics: MetricsRegistry;
  readonly tracing: Tracing;
}

export interface RunningProcess {
  /** The public port, where there is one. */
  readonly port?: number;
  readiness(): Readiness;
  readonly routes?: AdminRoutes;
  /** Names the admin port in the error if it cannot be bound. Default `HUBBUB_ADMIN_PORT`. */
  readonly adminPortSetting?: string;
  /** The action on SIGHUP; without it SIGHUP ends the process. */
  readonly renewCertificate?: (() => void) | undefined;
  /** @param announced false when no balancer has to see it first. */
  close(announced?: boolean): Promise<void>;
}

/**
 * @param settings of the command line; they override the environment and the file
 * @throws {ConfigError}
 */
export async function loadParts(name: string, settings: Partial<Settings> = {}): Promise<ProcessParts> {
  return await createParts(name, loadConfig(childEnvironment(settings), { verifiesTokens: TOKEN_PROCESSES.has(name) }));
}

/** Processes that accept clients, and so their tokens. */
const TOKEN_PROCESSES: ReadonlySet<string> = new Set(['edge', 'hubbub']);

export async function createParts(name: string, config: Config): Promise<ProcessParts> {
  const metrics = createMetricsRegistry(memoryLimitBytes());
  metricsKit(metrics).gaugeBy(
    'hubbub_build_info',
    'Always 1; the label is the version of the process. More than one version runs only during a rollout.',
    ['version'],
    () => [[{ version: VERSION }, 1]],
    'max',
  );
  const log = createLogger({ level: config.logLevel, process: name, nodeId: config.nodeId });
  const tracing = await openTracing(name, config, metrics, log);
  return { config, log, metrics, tracing };
}

/** Loads the configuration, starts the work and its admin port, and sees to it that signals stop both. */
export async function runProcess(
  name: string,
  start: (parts: ProcessParts) => Promise<RunningProcess>,
  settings?: Partial<Settings>,
): Promise<ProcessParts & { readonly port: number | undefined; readonly adminPort: number }> {
  const parts = await loadParts(name, settings);
  const { config, log, metrics, tracing } = parts;
  const running = await start(parts);
  const admin = await startAdminServer({
    ...adminOptions(config, log, running.adminPortSetting),
    metrics,
    readiness: running.readiness,
    ...(running.routes !== undefined && { routes: running.routes }),
  }).catch(async (error: unknown) => {
    await running.close(false);
    throw error;
  });
  onShutdownSignal(log, {
    timeoutMs: config.shutdownTimeoutMs,
    async close() {
      await running.close();
      await admin.close();
      await tracing.close();
    },
  });
  if (running.renewCertificate !== undefined) process.on('SIGHUP', running.renewCertificate);
  log.info(
    { event: 'listening', ...(running.port !== undefined && { port: running.port }), adminPort: admin.port },
    `${name} is up; admin on http://${config.adminHost}:${admin.port}`,
  );
  logWarnings(parts, name === 'edge' || name === 'hubbub');
  return { ...parts, port: running.port, adminPort: admin.port };
}

/** The options of the admin port that the configuration decides. */
export function adminOptions(
  config: Config,
  log: Logger,
  portSetting = 'HUBBUB_ADMIN_PORT',
): Pick<AdminServerOptions, keyof ListenAddress | 'hostProblem' | 'log'> {
  return {
    host: config.adminHost,
    port: config.adminPort,
    hostSetting: 'HUBBUB_ADMIN_HOST',
    portSetting,
    hostProblem: createRequestSources(config).hostProblem,
    log,
  };
}

/** One log line for each setting that works, but should not stay so. */
export function logWarnings({ config, log }: ProcessParts, isEdge: boolean): void {
  for (const { name, message, change, ofEdges } of config.warnings) {
    if (isEdge || ofEdges !== true) log.warn({ event: name, change }, message);
  }
}
