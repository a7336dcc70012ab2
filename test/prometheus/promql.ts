import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'

/** One mention of a metric in an expression. */
export type Selector = {
  metric: string
  /** Names of the labels that it matches on. */
  labels: string[]
  /** The functions around it, innermost first. */
  functions: string[]
  /** It stands in a difference to an earlier reading (`x - (… @ start() …)`). */
  inDifference: boolean
  /** Seconds, of a range such as `[5m]`. */
  rangeSeconds?: number
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 }

/**
 * The selectors of a PromQL expression.
 *
 * @throws Error with the place when it is not PromQL.
 */
export function selectorsOf(expression: string): Selector[] {
  const selectors: Selector[] = []
  const text = (node: SyntaxNode) => expression.slice(node.from, node.to)
  parser.parse(expression).iterate({
    enter({ type, node }) {
      if (type.isError) {
        throw new Error(`not PromQL near character ${node.from}: ${expression}`)
      }
      if (type.name === 'VectorSelector') selectors.push(readSelector(node, text))
    },
  })
  return selectors
}

function readSelector(node: SyntaxNode, text: (node: SyntaxNode) => string): Selector {
  const name = node.getChild('Identifier')
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []
  const selector: Selector = {
    metric: name ? text(name) : '',
    labels: matchers.map((matcher) => text(matcher.getChild('LabelName')!)),
    functions: [],
    inDifference: false,
  }
  for (let parent = node.parent; parent; parent = parent.parent) {
    if (parent.name === 'FunctionCall') {
      selector.functions.push(text(parent.getChild('FunctionIdentifier')!))
    }
    if (parent.name === 'BinaryExpr' && parent.getChild('Sub')) {
      selector.inDifference ||= text(parent).includes('@ start()')
    }
    if (parent.name === 'MatrixSelector') {
      const range = /\[(\d+)([smhd])\]$/.exec(text(parent))
      if (range) {
        selector.rangeSeconds = Number(range[1]) * SECONDS[range[2] as keyof typeof SECONDS]
      }
    }
  }
  return selector
}
