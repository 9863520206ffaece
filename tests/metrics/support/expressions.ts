/** Every expression of the dashboards and the alerts, with its place. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { BOARDS } from '../../../deploy/grafana/src/index.js';
import { deployFile } from '../../deploy/support/proxy.js';

export interface Asked {
  /** Dashboard, panel and letter, or the alert. */
  readonly where: string;
  readonly board: string;
  readonly expression: string;
}

export interface Alert {
  readonly name: string;
  readonly expression: string;
  readonly severity: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export function panelExpressions(): Asked[] {
  return BOARDS.flatMap(({ name, dashboard }) =>
    (dashboard.panels ?? []).flatMap(panel => {
      const targets = 'targets' in panel ? (panel.targets ?? []) : [];
      return targets.map(target => {
        const { expr, refId } = target as { expr?: string; refId?: string };
        return { where: `${name} / ${panel.title} / ${refId}`, board: name, expression: expr ?? '' };
      });
    }),
  );
}

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly {
      /** Absent in a recording rule. */
      readonly alert?: string;
      readonly expr: string;
      readonly labels: { readonly severity: string };
      readonly annotations: Readonly<Record<string, string>>;
    }[];
  }[];
}

export function alerts(): Alert[] {
  return readRules().groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert, expr, labels, annotations }) =>
      alert === undefined ? [] : [{ name: alert, expression: expr.trim(), severity: labels.severity, annotations }],
    ),
  );
}

const METRIC = /\b((?:hubbub|nodejs|process|k6)_[a-z0-9_]+)\b/g;

/** Every expression of the rules: of alerts, and of what they record. */
export function ruleExpressions(): string[] {
  return readRules().groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
}

function readRules(): RuleFile {
  return parse(readFileSync(deployFile('prometheus/rules/hubbub.yml'), 'utf8'));
}

/** The names of metrics in an expression; for a histogram, the name without suffix. */
export function metricsIn(expression: string): string[] {
  const withoutLabels = expression.replace(/\{[^}]*\}/g, '');
  return [...withoutLabels.matchAll(METRIC)].map(([, name = '']) => name.replace(/_bucket$/, ''));
}
