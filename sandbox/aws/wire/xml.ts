// Values to XML by their schema, and the envelope that errors have in the XML dialects.
import { XmlCodec } from '@aws-sdk/core/protocols';
import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticStructureSchema } from '@smithy/types';
import type { AwsError } from '../world.ts';
import type { ErrorModel, ServiceModel } from './model.ts';

const timestampFormat = { useTrait: true, default: 5 } as const;

export function encodeXml(schema: NormalizedSchema, value: unknown, root: { rootName: string; xmlNamespace: string }): string {
  const codec = new XmlCodec({ timestampFormat, httpBindings: false, xmlNamespace: root.xmlNamespace, serviceNamespace: '' });
  const serializer = codec.createSerializer();
  serializer.write(renamed(schema, root.rootName), value);
  return String(serializer.flush());
}

export function decodeXml(schema: NormalizedSchema, bytes: Uint8Array): unknown {
  const codec = new XmlCodec({ timestampFormat, httpBindings: false, xmlNamespace: '', serviceNamespace: '' });
  return codec.createDeserializer().read(schema, bytes) as unknown;
}

/** The same structure under another name, with only those members that `keep` chooses. */
export function renamed(schema: NormalizedSchema, name: string, keep: (member: NormalizedSchema) => boolean = () => true): NormalizedSchema {
  const kept = [...schema.structIterator()].filter(([, member]) => keep(member));
  const names = kept.map(([memberName]) => memberName);
  const members = kept.map(([, member]) => member);
  return NormalizedSchema.of([3, 'sandbox', name, 0, names, members] satisfies StaticStructureSchema);
}

export function encodeErrorXml(
  model: ServiceModel,
  error: AwsError,
  details: { modelled: ErrorModel | undefined; requestId: string; status: number },
): string {
  const { modelled, requestId, status } = details;
  const fields =
    modelled === undefined
      ? ''
      : inner(encodeXml(renamed(modelled.schema, 'F', (member) => !isMessage(member.getMemberName())), error.fields, { rootName: 'F', xmlNamespace: '' }));
  const code = escapeXml(modelled?.queryCode ?? error.code);
  const head = `<Type>${status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${code}</Code><Message>${escapeXml(error.message)}</Message>`;
  return `<ErrorResponse xmlns="${model.xmlNamespace}"><Error>${head}${fields}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

function isMessage(name: string | undefined): boolean {
  return name?.toLowerCase() === 'message';
}

function inner(xml: string): string {
  return xml.replace(/^<F\s*\/>$/, '').replace(/^<F>/, '').replace(/<\/F>$/, '');
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
