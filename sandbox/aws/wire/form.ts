// Reads an awsQuery form (Actions.member.1.Type=forward) into an operation's input by its schema.
import { FromStringShapeDeserializer } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';

interface Node {
  text: string | null;
  readonly children: Map<string, Node>;
}

const scalars = new FromStringShapeDeserializer({ timestampFormat: { useTrait: true, default: 5 }, httpBindings: false });

export function decodeForm(schema: NormalizedSchema, form: URLSearchParams): unknown {
  const root: Node = { text: null, children: new Map() };
  for (const [key, value] of form) {
    let node = root;
    for (const part of key.split('.')) {
      let child = node.children.get(part);
      if (child === undefined) node.children.set(part, (child = { text: null, children: new Map() }));
      node = child;
    }
    node.text = value;
  }
  return schema.isUnitSchema() ? {} : readNode(schema, root);
}

function readNode(schema: NormalizedSchema, node: Node): unknown {
  if (schema.isStructSchema()) return readStruct(schema, node);
  if (schema.isListSchema()) return readList(schema, node);
  if (schema.isMapSchema()) return readMap(schema, node);
  return scalars.read(schema, node.text ?? '') as unknown;
}

function readStruct(schema: NormalizedSchema, node: Node): unknown {
  const value: Record<string, unknown> = {};
  for (const [name, member] of schema.structIterator()) {
    const child = node.children.get(member.getMergedTraits().xmlName ?? name);
    if (child !== undefined) value[name] = readNode(member, child);
  }
  return value;
}

function readList(schema: NormalizedSchema, node: Node): unknown {
  const items = isFlat(schema) ? node : node.children.get(schema.getValueSchema().getMergedTraits().xmlName ?? 'member');
  return numbered(items).map((item) => readNode(schema.getValueSchema(), item));
}

function readMap(schema: NormalizedSchema, node: Node): unknown {
  const keyName = schema.getKeySchema().getMergedTraits().xmlName ?? 'key';
  const valueName = schema.getValueSchema().getMergedTraits().xmlName ?? 'value';
  const value: Record<string, unknown> = {};
  for (const entry of numbered(isFlat(schema) ? node : node.children.get('entry'))) {
    const child = entry.children.get(valueName);
    if (child !== undefined) value[entry.children.get(keyName)?.text ?? ''] = readNode(schema.getValueSchema(), child);
  }
  return value;
}

function isFlat(schema: NormalizedSchema): boolean {
  return Boolean(schema.getMergedTraits().xmlFlattened);
}

function numbered(node: Node | undefined): Node[] {
  const entries = [...(node?.children ?? [])].filter(([key]) => /^\d+$/.test(key));
  return entries.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child);
}
