// Whatever JSON a server answers with, within the megabyte that is read, a person's paths take a journey no longer than their time.
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AnswerBody, bodyLimits } from '../../lambdas/adapters/journey-body.ts';
import { manyCases, patience } from './many-cases.ts';

const megabyte = 2 ** 20;

/** Something nested, again and again, until the megabyte is full or so many are there. */
const shapes = fc.record({
  around: fc.constantFrom(['[', ']'], ['{"a":', '}'], ['[1,', ']'], ['{"b":1,"a":', '}'], ['[{"a":', '}]'], ['{"a":[1,2],"b":', '}']),
  depth: fc.oneof(fc.integer({ min: 1, max: bodyLimits.depth }), fc.integer({ min: 1, max: 200_000 })),
  leaf: fc.oneof(fc.constantFrom('1', '{}', '""', '{"a":{"a":1}}'), fc.integer({ min: 1, max: megabyte - 4 }).map((length) => JSON.stringify('a'.repeat(length)))),
  times: fc.oneof(fc.constant(megabyte), fc.integer({ min: 1, max: 5000 })),
});

function bodyOf({ around: [open = '', close = ''], depth, leaf, times }: { readonly around: readonly string[]; readonly depth: number; readonly leaf: string; readonly times: number }): string {
  const levels = Math.min(depth, Math.floor((megabyte - leaf.length - 2) / (open.length + close.length)));
  const unit = `${open.repeat(levels)}${leaf}${close.repeat(levels)}`;
  const count = Math.max(1, Math.min(times, Math.floor((megabyte - 2) / (unit.length + 1))));
  return `[${Array.from({ length: count }, () => unit).join()}]`;
}

const steps = fc.array(fc.constantFrom(
  '..a', '..b', '.a', '.b', '..*', '[*]', '[*,*]', '[0]', '[::-1]', '..[0,0]', '[?@.a]', '[?@..a]', '..[?@ == $]', '..[?count($..*) > 3]', "[?search(@, 'a*b')]", "..[?match(@.a, '(a|a)*b')]", '[?length($..*) > 1]',
), { maxLength: 4 }).map((parts) => `$${parts.join('')}`);

/** Why nothing could be looked for; null when it was. */
function failure(body: AnswerBody, path: string): string | null {
  try {
    return body.find(path, (found) => (found.every((value) => JSON.stringify(value) !== '') ? null : 'a value that is none'));
  } catch (error) {
    return String(error);
  }
}

const known = /^(ExchangeFailed: the body (holds more than 100000 values|is nested too deep|could not be looked through for)|JourneyBroken: the body was not looked through within 300 ms)/;

it('a path of any kind, on a body of any shape, ends in its time', { timeout: patience(300_000) }, () => {
  fc.assert(fc.property(shapes, fc.array(steps, { minLength: 1, maxLength: 5 }), (shape, paths) => {
    const bytes = Buffer.from(bodyOf(shape));
    expect(bytes.length).toBeLessThanOrEqual(megabyte);
    const began = process.cpuUsage();
    const body = new AnswerBody(bytes);
    const failures = paths.map((path) => failure(body, path));
    const { user, system } = process.cpuUsage(began);
    // Milliseconds of work: half a second, with the reading of it, and somewhat more where others heat the caches; without an end minutes.
    expect((user + system) / 1000).toBeLessThan(2500);
    expect(failures.filter((why) => why !== null && !known.test(why))).toEqual([]);
  }), manyCases(40));
});
