/** Metrics of what an edge records for `hubbub explain`, and of the questions that it answers. */
import { type MetricsRegistry, metricsKit } from '@hubbub/runtime';

const KINDS = ['session', 'closed_session', 'refused_handshake', 'gap'] as const;
export type AccountKind = (typeof KINDS)[number];
/** `busy`: above HUBBUB_EXPLAIN_QUESTIONS_PER_SECOND. */
type QuestionResult = 'answered' | 'busy' | 'failed';

export type AccountMetrics = ReturnType<typeof createAccountMetrics>;

export function createAccountMetrics(registry: MetricsRegistry) {
  const { counterBy, gaugeBy } = metricsKit(registry);
  let stores: Readonly<Record<AccountKind, { readonly size: number; readonly calculatedSize: number }>> | undefined;
  const read = (field: 'size' | 'calculatedSize') => () =>
    KINDS.map(kind => [{ kind }, stores?.[kind][field] ?? 0] as const);
  gaugeBy(
    'hubbub_edge_account_entries',
    'Sessions, ended sessions, refused clients and gaps that this edge remembers for hubbub explain.',
    ['kind'],
    read('size'),
  );
  gaugeBy('hubbub_edge_account_bytes', 'Estimated memory of these entries.', ['kind'], read('calculatedSize'));
  const dropped = counterBy(
    'hubbub_edge_account_dropped_total',
    'Entries that made place for newer ones.',
    KINDS.map(kind => ({ kind })),
  );
  const questions = counterBy(
    'hubbub_edge_account_questions_total',
    'Questions of hubbub explain by result: answered, busy (too many a second), or failed (the answer was not sent).',
    [{ result: 'answered' }, { result: 'busy' }, { result: 'failed' }],
  );
  return {
    dropped: (kind: AccountKind) => dropped({ kind }),
    question: (result: QuestionResult) => questions({ result }),
    observe(observed: NonNullable<typeof stores>): void {
      stores = observed;
    },
  };
}
