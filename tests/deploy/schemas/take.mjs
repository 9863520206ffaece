/**
 * `node take.mjs <kubernetes> <prometheus-operator> <compose-go>` extracts the schemas beside this file from unpacked sources.
 * README.md lists the projects. It keeps only the kinds that deploy/ uses, without descriptions, and refuses unknown fields.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const KINDS = [
  'Namespace',
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'Service',
  'Deployment',
  'StatefulSet',
  'Job',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'Ingress',
];
/** Fields that users do not write. */
const NOT_WRITTEN = new Set(['status', 'managedFields']);

const [kubernetes = '', operator = '', compose = ''] = process.argv.slice(2);

const { definitions } = JSON.parse(readFileSync(join(kubernetes, 'api/openapi-spec/swagger.json'), 'utf8'));
const taken = {};
const kinds = {};
for (const [name, definition] of Object.entries(definitions)) {
  for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
    if (!KINDS.includes(kind) || !/^v\d+$/.test(version)) continue;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    kinds[`${apiVersion} ${kind}`] = { $ref: `#/definitions/${name}` };
    take(name);
  }
}
write('kubernetes.json', { kinds, definitions: taken });

const operatorKinds = { PodMonitor: 'podmonitors', PrometheusRule: 'prometheusrules' };
const operatorSchemas = Object.entries(operatorKinds).map(([kind, plural]) => {
  const crd = join(operator, `example/prometheus-operator-crd/monitoring.coreos.com_${plural}.yaml`);
  const [{ schema }] = parse(readFileSync(crd, 'utf8')).spec.versions;
  const taken = strict(schema.openAPIV3Schema);
  taken.properties.metadata = { type: 'object' };
  return [`monitoring.coreos.com/v1 ${kind}`, taken];
});
write('prometheus-operator.json', Object.fromEntries(operatorSchemas));

write('compose-spec.json', JSON.parse(readFileSync(join(compose, 'schema/compose-spec.json'), 'utf8')));

function take(name) {
  if (name in taken) return;
  taken[name] = {}; // First, because some schemas refer to themselves.
  taken[name] = strict(definitions[name], name);
  for (const [, other] of JSON.stringify(taken[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) take(other);
}

/** Refuses unknown fields, like the API server's strict field validation. */
function strict(schema, name = '') {
  if (name.endsWith('.IntOrString')) return { type: ['integer', 'string'] };
  if (name.endsWith('.Quantity')) return { type: ['number', 'string'] };
  if (schema['x-kubernetes-int-or-string']) return { type: ['integer', 'string'] };
  const { type, $ref, enum: choices, required, pattern, items, properties, additionalProperties } = schema;
  if ($ref !== undefined) return { $ref };
  return {
    ...(type !== undefined && { type }),
    ...(choices !== undefined && { enum: choices }),
    // Go writes flags in the pattern, which JavaScript does not know.
    ...(pattern !== undefined && !pattern.includes('(?i)') && { pattern }),
    ...(required !== undefined && { required }),
    ...(items !== undefined && { items: strict(items) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties)
          .filter(([key]) => !NOT_WRITTEN.has(key))
          .map(([key, value]) => [key, strict(value)]),
      ),
      additionalProperties: false,
    }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: strict(additionalProperties) }),
  };
}

function write(file, content) {
  writeFileSync(new URL(file, import.meta.url), `${JSON.stringify(content)}\n`);
}
