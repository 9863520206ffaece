/** The calls of a logger in a source file: the event, levels and fields of each line that it can write. */
import {
  type Argument,
  type CallExpression,
  type Expression,
  type ObjectExpression,
  parseSync,
  Visitor,
} from 'oxc-parser';

export interface LogCall {
  readonly event: string;
  readonly levels: readonly string[];
  readonly fields: readonly string[];
}

const LEVELS = ['debug', 'info', 'warn', 'error'];

/**
 * Reads `log.warn({ event: 'name', field, … }, text)`, also with a level that a condition selects.
 * @throws {Error} for a call in another form: its event could not be compared with the page
 */
export function readLogCalls(path: string, source: string): LogCall[] {
  const calls: LogCall[] = [];
  new Visitor({
    CallExpression: node => {
      const levels = levelsOf(node);
      const [first] = node.arguments;
      // A logger that forwards to another one names no event.
      if (levels === undefined || first?.type === 'Identifier') return;
      if (first?.type !== 'ObjectExpression') throw new Error(`${path}: a log call without an object of fields`);
      const { event, ...fields } = Object.fromEntries(propertiesOf(first, path));
      // `config.warnings` have their names in warnings.ts.
      if (event?.type === 'Identifier') return;
      if (event?.type !== 'Literal') throw new Error(`${path}: a log call without the name of its event`);
      calls.push({ event: String(event.value), levels, fields: Object.keys(fields) });
    },
  }).visit(parseSync(path, source).program);
  return calls;
}

/** The levels of a call on an object called `log` or `logger`; `undefined` for every other call. */
function levelsOf({ callee }: CallExpression): string[] | undefined {
  if (callee.type !== 'MemberExpression' || !/^log(ger)?$/.test(nameOf(callee.object) ?? '')) return undefined;
  if (!callee.computed) {
    const level = nameOf(callee.property);
    return level !== undefined && LEVELS.includes(level) ? [level] : undefined;
  }
  const { property } = callee;
  if (property.type !== 'ConditionalExpression') return undefined;
  return [property.consequent, property.alternate].map(level => (level.type === 'Literal' ? String(level.value) : '?'));
}

function nameOf(node: Expression | CallExpression['callee'] | { readonly type: string }): string | undefined {
  if (node.type === 'Identifier' && 'name' in node) return String(node.name);
  return node.type === 'MemberExpression' && 'property' in node ? nameOf(node.property as Expression) : undefined;
}

/** Also of `...(condition && { field })`. */
function propertiesOf(object: ObjectExpression, path: string): Array<[string, Argument]> {
  return object.properties.flatMap((property): Array<[string, Argument]> => {
    if (property.type === 'Property' && property.key.type === 'Identifier')
      return [[property.key.name, property.value]];
    if (property.type === 'SpreadElement' && isSpan(property.argument)) return [];
    const spread = property.type === 'SpreadElement' ? withoutCondition(property.argument) : undefined;
    if (spread?.type !== 'ObjectExpression') throw new Error(`${path}: fields of a log call that cannot be read`);
    return propertiesOf(spread, path);
  });
}

/** The ids of a trace, which the page documents for every line. */
function isSpan(node: Expression): boolean {
  return /^spanFields(Of)?$/.test(nameOf(node.type === 'CallExpression' ? node.callee : node) ?? '');
}

function withoutCondition(node: Expression): Expression {
  if (node.type === 'ParenthesizedExpression') return withoutCondition(node.expression);
  return node.type === 'LogicalExpression' ? withoutCondition(node.right) : node;
}
