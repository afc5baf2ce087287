// Which resources of a template need which others, and so the order in which they are created.
import type { Template } from './assembly.ts';

const orders = new WeakMap<Template, readonly string[]>();

/**
 * Logical ids, each after everything it refers to; found once for each template.
 * @throws Error for a cycle.
 */
export function creationOrder(template: Template): readonly string[] {
  const order = orders.get(template) ?? orderOf(template);
  orders.set(template, order);
  return order;
}

function orderOf({ Resources }: Template): string[] {
  const ordered: string[] = [];
  const open: string[] = [];
  const visit = (id: string): void => {
    if (ordered.includes(id)) return;
    if (open.includes(id)) throw new Error(`circular dependency: ${[...open.slice(open.indexOf(id)), id].join(' → ')}`);
    open.push(id);
    const { DependsOn = [], Properties = {} } = Resources[id] ?? {};
    const needed = new Set([...(typeof DependsOn === 'string' ? [DependsOn] : DependsOn), ...referenced(Properties)]);
    for (const other of needed) if (Object.hasOwn(Resources, other)) visit(other);
    open.pop();
    ordered.push(id);
  };
  for (const id of Object.keys(Resources)) visit(id);
  return ordered;
}

function referenced(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referenced);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (key === 'Ref' && typeof inner === 'string') return [inner];
    if (key === 'Fn::GetAtt') return [String(Array.isArray(inner) ? inner[0] : inner).split('.')[0] ?? ''];
    if (key === 'Fn::Sub') return [...inSubstitution(inner), ...referenced(inner)];
    return referenced(inner);
  });
}

function inSubstitution(argument: unknown): string[] {
  const text = String(Array.isArray(argument) ? argument[0] : argument);
  return [...text.matchAll(/\$\{([^!}.]+)[^}]*\}/g)].map(([, name]) => name ?? '');
}
