// Finds the REST operation of a request by method and path, and the labels in it.
import type { WireRequest } from './dialect.ts';
import type { OperationModel, ServiceModel } from './model.ts';

export interface Route {
  readonly operation: OperationModel;
  readonly labels: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly operation: OperationModel;
  readonly method: string;
  readonly path: RegExp;
  readonly labels: readonly string[];
  /** Literal query parameters that the pattern asks for. */
  readonly query: URLSearchParams;
  /** Literal characters: the longer pattern wins. */
  readonly weight: number;
}

const patternsOf = new WeakMap<ServiceModel, readonly Pattern[]>();

export function matchRoute(model: ServiceModel, request: WireRequest): Route | null {
  let patterns = patternsOf.get(model);
  if (patterns === undefined) patternsOf.set(model, (patterns = compile(model)));
  const query = new URLSearchParams(request.query);
  for (const pattern of patterns) {
    if (pattern.method !== request.method) continue;
    const match = pattern.path.exec(request.path);
    if (match === null || ![...pattern.query].every(([key, value]) => query.has(key) && (value === '' || query.get(key) === value))) continue;
    const labels = Object.fromEntries(pattern.labels.map((label, index) => [label, decodeURIComponent(match[index + 1] ?? '')]));
    return { operation: pattern.operation, labels };
  }
  return null;
}

function compile(model: ServiceModel): readonly Pattern[] {
  const patterns = [...model.operations.values()].flatMap((operation) => (operation.http === null ? [] : [patternOf(operation, operation.http)]));
  return patterns.toSorted((a, b) => b.weight - a.weight);
}

function patternOf(operation: OperationModel, http: { method: string; path: string }): Pattern {
  const [path = '', query = ''] = http.path.split('?');
  const labels: string[] = [];
  const source = path.replace(/\/$/, '').replace(/\{([^}+]+)(\+)?\}|[.*+?^$()|[\]\\]/g, (text, label: string | undefined, greedy: string | undefined) => {
    if (label === undefined) return `\\${text}`;
    labels.push(label);
    return greedy === undefined ? '([^/]+)' : '(.+)';
  });
  const literal = path.replace(/\{[^}]+\}/g, '').length + query.length;
  return { operation, method: http.method, path: new RegExp(`^${source}/?$`), labels, query: new URLSearchParams(query), weight: literal };
}
