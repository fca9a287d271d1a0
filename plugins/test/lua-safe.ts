/**
 * Finds what means something else, or nothing, when a core is compiled to Lua. Each ban names its replacement.
 * typescript-to-lua 1.37 compiles most of these silently.
 */
import ts from 'typescript';

/** One offence: `file:line what instead`. */
export type Offence = string;

const BANNED_NAMES: Record<string, string> = {
  Date: 'pass the time in (facts.now)',
  JSON: 'let the host encode and decode',
  RegExp: 'compare characters',
  BigInt: 'no money in plugins',
  Map: 'a Record',
  Set: 'an array with includes',
  WeakMap: 'a Record',
  WeakSet: 'an array',
  Promise: 'let the host wait',
  Symbol: 'text',
  Proxy: 'a function',
  Intl: 'ASCII text',
  globalThis: 'an argument',
  process: 'configuration',
  console: 'decision.log',
  require: 'an import; only the host reaches Lua modules',
  parseInt: 'a number in the configuration',
  parseFloat: 'a number in the configuration',
  encodeURIComponent: 'isOpaqueId before the text is used',
  decodeURIComponent: 'the host decodes',
  setTimeout: 'the host bounds time',
};

const BANNED_METHODS: Record<string, string> = {
  sort: 'an order from outside; Lua sorts text and numbers its own way',
  localeCompare: 'compare for equality',
  normalize: 'ASCII text',
  match: 'startsWith, includes or split',
  matchAll: 'startsWith, includes or split',
  replaceAll: 'split and join',
  codePointAt: 'charCodeAt on ASCII text',
  toFixed: 'text in the configuration',
  toLocaleString: 'text in the configuration',
};

const KINDS: [kind: ts.SyntaxKind, what: string, instead: string][] = [
  [ts.SyntaxKind.RegularExpressionLiteral, 'a regular expression', 'compare characters'],
  [ts.SyntaxKind.BigIntLiteral, 'a bigint', 'a number'],
  [ts.SyntaxKind.NullKeyword, 'null', 'undefined: a null field vanishes in Lua'],
  [ts.SyntaxKind.PercentToken, 'the remainder operator', 'a comparison: -7 % 3 is 2 in Lua'],
  [ts.SyntaxKind.PercentEqualsToken, 'the remainder operator', 'a comparison'],
  [ts.SyntaxKind.EqualsEqualsToken, '==', '==='],
  [ts.SyntaxKind.ExclamationEqualsToken, '!=', '!=='],
  [ts.SyntaxKind.AsyncKeyword, 'async', 'let the host wait'],
  [ts.SyntaxKind.AwaitExpression, 'await', 'let the host wait'],
  [ts.SyntaxKind.YieldExpression, 'yield', 'return an array'],
  [ts.SyntaxKind.ForInStatement, 'for … in', 'Object.keys'],
  [ts.SyntaxKind.TryStatement, 'try', 'let the host catch and refuse'],
  [ts.SyntaxKind.ClassDeclaration, 'a class', 'a function'],
  [ts.SyntaxKind.DeleteExpression, 'delete', 'build the object without the field'],
];

/** All offences in the given files, and only in those. Imports are followed for their types. */
export function luaOffences(files: string[], options: ts.CompilerOptions): Offence[] {
  const program = ts.createProgram(files, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const offences: Offence[] = [];
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (!source) throw new Error(`${file} cannot be read`);
    const report = (node: ts.Node, what: string, instead: string): void => {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      offences.push(`${file}:${line + 1} ${what}: use ${instead}`);
    };
    const visit = (node: ts.Node): void => {
      examine(node, checker, report);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return offences;
}

type Report = (node: ts.Node, what: string, instead: string) => void;

function examine(node: ts.Node, checker: ts.TypeChecker, report: Report): void {
  for (const [kind, what, instead] of KINDS) if (node.kind === kind) report(node, what, instead);
  if (ts.isIdentifier(node) && Object.hasOwn(BANNED_NAMES, node.text) && isGlobal(node)) report(node, node.text, BANNED_NAMES[node.text] as string);
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && Object.hasOwn(BANNED_METHODS, node.expression.name.text)) {
    report(node, `.${node.expression.name.text}()`, BANNED_METHODS[node.expression.name.text] as string);
  }
  for (const condition of conditionsOf(node)) {
    if (!isBoolean(checker.getTypeAtLocation(condition))) {
      report(condition, `the truth of ${condition.getText()}`, 'a comparison: 0 and \'\' are true in Lua');
    }
  }
}

/** A value of that name, not a field, a key or a type. */
function isGlobal(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  return !ts.isPropertySignature(parent) && !ts.isTypeReferenceNode(parent);
}

/** Expressions whose truth decides something. */
function conditionsOf(node: ts.Node): ts.Expression[] {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return [node.expression];
  if (ts.isConditionalExpression(node)) return [node.condition];
  if (ts.isForStatement(node) && node.condition) return [node.condition];
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) return [node.operand];
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    if (kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken) return [node.left];
  }
  return [];
}

function isBoolean(type: ts.Type): boolean {
  if (type.isUnion()) return type.types.every(isBoolean);
  return (type.flags & (ts.TypeFlags.Boolean | ts.TypeFlags.BooleanLiteral)) !== 0;
}
