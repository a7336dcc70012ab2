import { MappingType, type Panel, ThresholdsMode, type ValueMapping } from '@grafana/schema'

/** The provisioned data source, by the dashboard's variable, so that it can be another one. */
export const DATASOURCE = { type: 'prometheus', uid: '$datasource' }

export type Query = { expr: string; legend: string }

export type Block = {
  title: string
  description: string
  /** Grafana's unit id: `short`, `locale` (all digits), `s`, `percentunit`, `cpm` (counts per minute), … */
  unit: string
  queries: Query[]
  /** In Grafana's grid of 24 columns. */
  width: number
}

const ONLY_GREEN = [{ color: 'green', value: null }]

/** From this value on the number is worth a look; a null value is the base colour. */
function steps(badFrom: number | undefined) {
  return badFrom === undefined ? ONLY_GREEN : [...ONLY_GREEN, { color: 'red', value: badFrom }]
}

/** One or few large numbers. */
export function stat(
  block: Block & { badFrom?: number; noValue?: string; today?: boolean; mappings?: ValueMapping[] },
): Panel {
  return {
    ...base('stat', block, 4),
    fieldConfig: {
      defaults: {
        unit: block.unit,
        noValue: block.noValue ?? '0',
        thresholds: { mode: ThresholdsMode.Absolute, steps: steps(block.badFrom) },
        ...(block.mappings && { mappings: block.mappings }),
      },
      overrides: [],
    },
    options: {
      colorMode: 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      textMode: 'auto',
      wideLayout: true,
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
    // The last point of a range is at most one step old: a minute at the end of a day.
    ...(block.today && { timeFrom: 'now/d', hideTimeOverride: true, maxDataPoints: 1440 }),
  }
}

/** Lines over time; `stack` adds them up. */
export function timeseries(block: Block & { stack?: boolean; max?: number }): Panel {
  return {
    ...base('timeseries', block, 8),
    fieldConfig: {
      defaults: {
        unit: block.unit,
        min: 0,
        ...(block.max !== undefined && { max: block.max }),
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: block.stack ? 30 : 10,
          showPoints: 'never',
          stacking: { mode: block.stack ? 'normal' : 'none', group: 'A' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  }
}

/** Yes (1) and no (0) over time, one band per series. */
export function bands(block: Block, words: { yes: string; no: string }): Panel {
  return {
    ...base('state-timeline', block, 8),
    fieldConfig: {
      defaults: {
        unit: block.unit,
        custom: { fillOpacity: 70, lineWidth: 0 },
        mappings: yesNo(words),
      },
      overrides: [],
    },
    options: {
      showValue: 'never',
      mergeValues: true,
      rowHeight: 0.8,
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'single', sort: 'none' },
    },
  }
}

export function yesNo({ yes, no }: { yes: string; no: string }): ValueMapping[] {
  const options = {
    '1': { text: yes, color: 'green', index: 0 },
    '0': { text: no, color: 'red', index: 1 },
  }
  return [{ type: MappingType.ValueToText, options }]
}

function base(type: string, block: Block, height: number): Panel {
  return {
    type,
    title: block.title,
    description: block.description,
    datasource: DATASOURCE,
    gridPos: { x: 0, y: 0, w: block.width, h: height },
    targets: block.queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      editorMode: 'code',
      range: true,
    })),
  }
}
