/** The facts about one file that the rules need: its imports, and whether it reads the environment. */
import { type CallExpression, type Expression, parseSync, Visitor } from 'oxc-parser';

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  /** Of every import and re-export: static, type and dynamic, `import type x = require()` and `require()` too. */
  readonly imports: readonly string[];
  /** Dynamic imports whose module is computed: no rule can be checked for them. */
  readonly computedImports: number;
  readonly readsEnvironment: boolean;
  /** Every text that is a whole literal: a package can be loaded by its name. */
  readonly texts: readonly string[];
}

/** @throws {Error} when the file is not TypeScript. */
export function readSourceFile(path: string, source: string): SourceFile {
  const { program, module, errors } = parseSync(path, source);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const imports = new Set(module.staticImports.map(({ moduleRequest }) => moduleRequest.value));
  for (const { moduleRequest } of module.staticExports.flatMap(({ entries }) => entries)) {
    if (moduleRequest) imports.add(moduleRequest.value);
  }
  const texts = new Set<string>();
  let computedImports = 0;
  let readsEnvironment = ['process', 'node:process'].some(name => imports.has(name));
  const note = (specifier: Expression) => {
    if (specifier.type === 'Literal' && typeof specifier.value === 'string') imports.add(specifier.value);
    else computedImports++;
  };
  new Visitor({
    ImportExpression: node => note(node.source),
    TSImportType: node => note(node.source),
    TSExternalModuleReference: node => note(node.expression),
    CallExpression: node => {
      const required = requiredName(node);
      if (required !== undefined) imports.add(required);
    },
    Literal: node => {
      if (typeof node.value === 'string') texts.add(node.value);
    },
    MemberExpression: node => {
      const { object, property } = node;
      const name = property.type === 'Literal' ? property.value : property.type === 'Identifier' && property.name;
      if (object.type === 'Identifier' && object.name === 'process' && name === 'env') readsEnvironment = true;
    },
  }).visit(program);
  return { path, imports: [...imports], computedImports, readsEnvironment, texts: [...texts] };
}

function requiredName({ callee, arguments: [first] }: CallExpression): string | undefined {
  if (callee.type !== 'Identifier' || callee.name !== 'require') return undefined;
  return first?.type === 'Literal' && typeof first.value === 'string' ? first.value : undefined;
}
