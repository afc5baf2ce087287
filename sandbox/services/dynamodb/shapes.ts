// Between the SDK's shapes and the JSON of the wire, for calls that nobody sends: without the text that they would travel as.
import { JsonShapeDeserializer, JsonShapeSerializer } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';

type Json = Readonly<Record<string, unknown>>;

const settings = { timestampFormat: { useTrait: true, default: 7 }, jsonName: false } as const;

class WireSerializer extends JsonShapeSerializer {
  wire(): Json {
    return this.buffer as Json;
  }
}

/** As JSON of the wire, in objects of its own. */
export function toWire(schema: NormalizedSchema, value: unknown): Json {
  const serializer = new WireSerializer(settings);
  serializer.write(schema, value);
  return serializer.wire();
}

/** Back from JSON of the wire, in objects of its own. */
export function fromWire(schema: NormalizedSchema, wire: Json): Json {
  return new JsonShapeDeserializer(settings).readObject(schema, wire as never) as Json;
}
