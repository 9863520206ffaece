/** How objects of Kubernetes refer to pods and their ports: labels, selectors, expressions and names of ports. */
import { at, isRecord } from './manifests.js';

const NAME = 'app.kubernetes.io/name';

/** The labels of the pods of a workload. */
export function labelsOf(workload: unknown): Record<string, unknown> {
  return Object(at(workload, 'spec', 'template', 'metadata', 'labels'));
}

/** The labels that Services, budgets and policies select pods of this release by. */
export function selectorsIn(value: unknown): Record<string, string>[] {
  if (Array.isArray(value)) return value.flatMap(selectorsIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'podSelector' || key === 'selector') {
      const labels = isRecord(inner) && isRecord(inner.matchLabels) ? inner.matchLabels : inner;
      const ours = isRecord(labels) && NAME in labels;
      return ours ? [labels as Record<string, string>] : [];
    }
    return selectorsIn(inner);
  });
}

/** The names of pods that expressions such as `app.kubernetes.io/name in (…)` list. */
export function namesInExpressions(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(namesInExpressions);
  if (!isRecord(value)) return [];
  if (value.key === NAME && Array.isArray(value.values)) return value.values;
  return Object.values(value).flatMap(namesInExpressions);
}

/** Every port that is referenced by name. */
export function namedPorts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namedPorts);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if ((key === 'port' || key === 'targetPort') && typeof inner === 'string') return [inner];
    if (key === 'port' && isRecord(inner) && typeof inner.name === 'string') return [inner.name];
    return namedPorts(inner);
  });
}
