/** The kinds of panels in the dashboards, each with unit, thresholds, legend and description. */
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { type Threshold, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** Grafana's names: seconds, bytes, bytes a second, things a second, a number, a share of 1. */
export type Unit = 's' | 'bytes' | 'Bps' | 'ops' | 'short' | 'percentunit';

/** An expression, and the legend of its series: text with `{{label}}`. */
export type Query = readonly [expression: string, legend: string];

export interface PanelOptions {
  readonly title: string;
  /** The content of the panel, and the meaning of a high value. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Yellow and red from here up; or, where little is bad, `below`. */
  readonly warnAt?: number;
  readonly alarmAt?: number;
  /** Red below this, green from it up. */
  readonly alarmBelow?: number;
  /** Of the 24 columns. */
  readonly width?: number;
  /** Series on top of each other: for parts of a whole. */
  readonly stacked?: boolean;
}

export type Panel = TimeSeriesBuilder | StatBuilder;

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const GRAPH_HEIGHT = 8;
const STAT_HEIGHT = 4;

/** Lines over time. */
export function graph(options: PanelOptions): TimeSeriesBuilder {
  const panel = new TimeSeriesBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(DATASOURCE)
    .unit(options.unit)
    .min(0)
    .height(GRAPH_HEIGHT)
    .span(options.width ?? 8)
    .lineWidth(1)
    .fillOpacity(options.stacked === true ? 30 : 8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .thresholds(thresholds(options));
  if (options.stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (hasThresholds(options)) {
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  for (const [index, query] of options.queries.entries()) panel.withTarget(target(query, index, 'range'));
  return panel;
}

/** One number, colored by the thresholds. */
export function stat(options: PanelOptions): StatBuilder {
  const panel = new StatBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(DATASOURCE)
    .unit(options.unit)
    .height(STAT_HEIGHT)
    .span(options.width ?? 6)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .thresholds(thresholds(options));
  for (const [index, query] of options.queries.entries()) panel.withTarget(target(query, index, 'instant'));
  return panel;
}

function target([expression, legend]: Query, index: number, kind: 'range' | 'instant'): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .datasource(DATASOURCE)
    .expr(expression)
    .legendFormat(legend)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index));
  return kind === 'range' ? query.range() : query.instant();
}

function hasThresholds({ warnAt, alarmAt, alarmBelow }: PanelOptions): boolean {
  return warnAt !== undefined || alarmAt !== undefined || alarmBelow !== undefined;
}

function thresholds({ warnAt, alarmAt, alarmBelow }: PanelOptions): ThresholdsConfigBuilder {
  const steps: Threshold[] = [{ value: null, color: alarmBelow === undefined ? 'green' : 'red' }];
  if (alarmBelow !== undefined) steps.push({ value: alarmBelow, color: 'green' });
  if (warnAt !== undefined) steps.push({ value: warnAt, color: 'yellow' });
  if (alarmAt !== undefined) steps.push({ value: alarmAt, color: 'red' });
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
