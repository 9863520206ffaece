/** Creates the edge's side of presence: the reports of its sessions, and the questions that wait for an answer. */
import type { NodeLeases, ReportLog } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import type { Logger } from '@hubbub/runtime';
import type { EdgeMetrics } from '../metrics.js';
import { PresenceReporter, type ReportedSession } from './presence-reporter.js';
import { RosterQuestions } from './roster-questions.js';

export interface PresenceParts {
  readonly reports: ReportLog;
  readonly leases: NodeLeases;
  readonly sessions: Iterable<ReportedSession>;
  readonly metrics: Pick<EdgeMetrics, 'questionUnanswered'>;
  readonly log: Logger;
}

export function createPresence(
  { nodeId, presencePartitions: partitions }: Config,
  { reports, leases, sessions, metrics, log }: PresenceParts,
) {
  const questions = new RosterQuestions({ onUnanswered: metrics.questionUnanswered });
  const reporter = new PresenceReporter({
    log: reports,
    leases,
    nodeId,
    partitions,
    snapshot: () => sessions,
    refuseQuestion: question => questions.refuse(question),
    logger: log,
  });
  return { reporter, questions };
}
