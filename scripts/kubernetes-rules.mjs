/** `npm run kubernetes-rules`: writes the rules of deploy/prometheus as an object of the Prometheus operator. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url));
export const RULES = 'deploy/prometheus/rules/hubbub.yml';
export const MANIFEST = 'deploy/kubernetes/components/monitoring/rules.yaml';

/** The text of the manifest. */
export function kubernetesRules() {
  const rules = readFileSync(at(RULES), 'utf8');
  const groups = rules.slice(rules.indexOf('groups:'));
  const spec = groups.replace(/^(?=.)/gm, '  ');
  return `# Written by npm run kubernetes-rules from ${RULES}.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: hubbub
spec:
${spec}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(at(MANIFEST), kubernetesRules());
