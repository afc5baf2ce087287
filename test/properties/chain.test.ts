// Whatever is done to the rows of an audit, the first row it was done to is named.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toItem, toRow } from '../../lambdas/adapters/audit-rows.ts';
import { canonicalJson } from '../../lambdas/audit/canonical.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import { type AuditRow, cursorAt, genesis, hashOf, rowAfter } from '../../lambdas/audit/entry.ts';
import type { AuditCursor, Json, JsonObject } from '../../lambdas/domain/vocabulary.ts';

const data = fc.dictionary(fc.string({ maxLength: 8 }), fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)), { maxKeys: 4 });

function chainOf(contents: readonly JsonObject[]): AuditRow[] {
  let at: AuditCursor = genesis;
  return contents.map((content, index) => {
    const row = rowAfter(at, { rollbackId: 'rb-1', service: 'checkout', kind: index === contents.length - 1 ? 'sealed' : 'confirmed', at: `2026-11-20T09:00:${String(index % 60).padStart(2, '0')}.000Z`, data: { ...content, n: index } });
    at = cursorAt(row);
    return row;
  });
}

const chain = fc.array(data, { minLength: 2, maxLength: 12 }).map(chainOf);
/** A chain and one of its rows. */
const place = chain.chain((rows) => fc.record({ rows: fc.constant(rows), k: fc.nat({ max: rows.length - 1 }) }));
const anchorOf = (rows: readonly AuditRow[]): AuditCursor => cursorAt(rows.at(-1) as AuditRow);
const rehashed = (row: AuditRow): AuditRow => ({ ...row, hash: hashOf(row) });
const row = (rows: readonly AuditRow[], k: number): AuditRow => rows[k] as AuditRow;

describe('the chain of an audit', () => {
  it('is intact when nothing was done to it, with and without its anchor', () => {
    fc.assert(fc.property(chain, (rows) => {
      expect(verifyChain(rows)).toMatchObject({ intact: true, length: rows.length, isSealed: true, isAnchored: false });
      expect(verifyChain(rows, anchorOf(rows))).toMatchObject({ intact: true, isAnchored: true });
    }));
  });

  it('names a row with any attribute edited', () => {
    const field = fc.constantFrom('at', 'kind', 'service', 'data', 'previousHash', 'hash', 'rollbackId' as const);
    fc.assert(fc.property(place, field, ({ rows, k }, name) => {
      const edited = rows.with(k, { ...row(rows, k), [name]: `${row(rows, k)[name]}x` });
      expect(verifyChain(edited)).toMatchObject({ intact: false, fault: 'changed', seq: k });
    }));
  });

  it('names a row to which any attribute was added, whatever it is called, read from the table', () => {
    const known = Object.keys(toItem(row(chainOf([{}]), 0)));
    const name = fc.oneof(fc.constantFrom('approvedBy', 'note', 'DATA', 'foreign', '__proto__', 'toString'), fc.string({ minLength: 1, maxLength: 20 })).filter((one) => !known.includes(one));
    const value = fc.constantFrom({ S: 'data above is void' }, { N: '7' }, { NULL: true as const }, { M: { data: { S: '{}' } } });
    fc.assert(fc.property(place, name, value, ({ rows, k }, added, what) => {
      const items = rows.map((one) => toItem(one));
      expect(verifyChain(items.map(toRow), anchorOf(rows))).toMatchObject({ intact: true });
      const item = Object.fromEntries([...Object.entries(items[k] ?? {}), [added, what]]);
      expect(verifyChain(items.with(k, item).map(toRow), anchorOf(rows))).toEqual({ intact: false, fault: 'changed', seq: k, text: `row ${k} was changed: ${JSON.stringify(added)} was added to it, and no function writes that` });
    }));
  });

  it('names what was added to its anchor', () => {
    fc.assert(fc.property(chain, (rows) => {
      expect(verifyChain(rows, { ...anchorOf(rows), foreign: ['note', 'approvedBy'] })).toEqual({ intact: false, fault: 'anchor', seq: rows.length - 1, text: 'the anchor was changed: "note", "approvedBy" was added to it, and no function writes that' });
    }));
  });

  it('names a row edited and given a new hash, also the last one, by its neighbours and the anchor', () => {
    fc.assert(fc.property(place, ({ rows, k }) => {
      const edited = rows.with(k, rehashed({ ...row(rows, k), data: canonicalJson({ forged: true }) }));
      expect(verifyChain(edited, anchorOf(rows))).toMatchObject({ intact: false, fault: 'changed', seq: k });
    }));
  });

  it('names a row whose link was edited and given a new hash', () => {
    fc.assert(fc.property(place.filter(({ k }) => k > 0), ({ rows, k }) => {
      const edited = rows.with(k, rehashed({ ...row(rows, k), previousHash: 'f'.repeat(64) }));
      expect(verifyChain(edited, anchorOf(rows))).toMatchObject({ intact: false, fault: 'changed', seq: k });
    }));
  });

  it('names a removed row', () => {
    fc.assert(fc.property(place.filter(({ rows, k }) => k < rows.length - 1), ({ rows, k }) => {
      expect(verifyChain(rows.toSpliced(k, 1))).toMatchObject({ intact: false, fault: 'removed', seq: k });
    }));
  });

  it('names a removed row whose gap was closed by new numbers', () => {
    fc.assert(fc.property(place.filter(({ rows, k }) => k < rows.length - 1), ({ rows, k }) => {
      const closed = rows.toSpliced(k, 1).map((one, seq) => ({ ...one, seq }));
      expect(verifyChain(closed)).toMatchObject({ intact: false, fault: 'removed', seq: k });
    }));
  });

  it('names a tail that was cut off, by the anchor', () => {
    fc.assert(fc.property(place.filter(({ k }) => k > 0), ({ rows, k }) => {
      expect(verifyChain(rows.slice(0, k), anchorOf(rows))).toMatchObject({ intact: false, fault: 'truncated', seq: k });
      expect(verifyChain(rows.slice(0, k))).toMatchObject({ intact: true, isSealed: false });
    }));
    expect(verifyChain([], { length: 3, hash: 'a' })).toMatchObject({ intact: false, fault: 'truncated', seq: 0 });
  });

  it('names two rows that changed places, with their numbers or without', () => {
    fc.assert(fc.property(place.filter(({ rows, k }) => k < rows.length - 1), fc.nat(), ({ rows, k }, random) => {
      const j = k + 1 + (random % (rows.length - k - 1));
      const swapped = rows.with(k, row(rows, j)).with(j, row(rows, k));
      expect(verifyChain(swapped)).toMatchObject({ intact: false, fault: 'reordered', seq: k });
      expect(verifyChain(swapped.map((one, seq) => ({ ...one, seq })))).toMatchObject({ intact: false, fault: 'reordered', seq: k });
    }));
  });

  it('names a row that was put in, well linked to the row before it', () => {
    fc.assert(fc.property(place.filter(({ k }) => k > 0), ({ rows, k }) => {
      const forged = rowAfter(cursorAt(row(rows, k - 1)), { rollbackId: 'rb-1', service: 'checkout', kind: 'confirmed', at: '2026-11-20T09:00:00.000Z', data: { forged: true } });
      const renumbered = rows.toSpliced(k, 0, forged).map((one, seq) => ({ ...one, seq }));
      expect(verifyChain(renumbered)).toMatchObject({ intact: false, fault: 'inserted', seq: k });
      expect(verifyChain(rows.toSpliced(k, 0, forged))).toMatchObject({ intact: false });
    }));
  });

  /** Rows follow the anchor and take the first number that is free, whatever stands in the table. */
  const grown = (rows: readonly AuditRow[], anchor: AuditCursor): AuditRow[] => {
    const late = rowAfter({ length: Math.max(rows.length, anchor.length), hash: anchor.hash }, { rollbackId: 'rb-1', service: 'checkout', kind: 'confirmed', at: '2026-11-20T10:00:00.000Z', data: {} });
    return [...rows, late];
  };

  it('names rows that were cut from the end of a chain that grows, before and after it has grown', () => {
    fc.assert(fc.property(place.filter(({ k }) => k > 0), ({ rows, k }) => {
      const running = rows.slice(0, -1);
      const cut = running.slice(0, Math.min(k, running.length - 1));
      expect(verifyChain(cut, anchorOf(running))).toMatchObject({ intact: false, fault: 'truncated', seq: cut.length, text: expect.stringMatching(/ of \d+ (is|are) missing: cut from the end$/) as string });
      const later = grown(cut, anchorOf(running));
      expect(verifyChain(later, anchorOf(later))).toMatchObject({ intact: false, fault: 'removed', seq: cut.length });
    }));
  });

  it('names rows that were put in at the end of a chain that grows, well linked or not', () => {
    fc.assert(fc.property(chain, fc.integer({ min: 1, max: 3 }), fc.boolean(), (rows, count, isLinked) => {
      const running = rows.slice(0, -1);
      const forged = [...running];
      for (let more = 0; more < count; more += 1) forged.push(rowAfter({ length: forged.length, hash: isLinked ? anchorOf(forged).hash : anchorOf(running).hash }, { rollbackId: 'rb-1', service: 'checkout', kind: 'confirmed', at: '2026-11-20T10:00:00.000Z', data: { more } }));
      expect(verifyChain(forged, anchorOf(running))).toMatchObject({ intact: false });
      const later = grown(forged, anchorOf(running));
      const verdict = verifyChain(later, anchorOf(later));
      expect(verdict).toMatchObject({ intact: false });
      expect(verdict.intact ? 0 : verdict.seq).toBeGreaterThanOrEqual(running.length);
      expect(isLinked ? verdict : { fault: 'inserted', seq: running.length }).toMatchObject({ fault: 'inserted', seq: running.length });
    }));
  });

  it('names a row that was put behind the seal', () => {
    fc.assert(fc.property(chain, (rows) => {
      const late = rowAfter(anchorOf(rows), { rollbackId: 'rb-1', service: 'checkout', kind: 'confirmed', at: '2026-11-20T10:00:00.000Z', data: {} });
      expect(verifyChain([...rows, late])).toMatchObject({ intact: false, fault: 'inserted', seq: rows.length });
    }));
  });

  it('names two rows whose contents were exchanged, each with a new hash', () => {
    fc.assert(fc.property(place.filter(({ rows, k }) => k < rows.length - 1), fc.nat(), ({ rows, k }, random) => {
      const j = k + 1 + (random % (rows.length - k - 1));
      const [one, other] = [row(rows, k), row(rows, j)];
      const swapped = rows.with(k, rehashed({ ...one, data: other.data })).with(j, rehashed({ ...other, data: one.data }));
      const verdict = verifyChain(swapped, anchorOf(rows));
      expect([k, j]).toContain(verdict.intact ? null : verdict.seq);
    }));
  });

  it('names the end of a part that was written anew with right hashes, by the anchor alone', () => {
    fc.assert(fc.property(place, ({ rows, k }) => {
      let at = k === 0 ? genesis : cursorAt(row(rows, k - 1));
      const anew = rows.slice(k).map(({ rollbackId, service, kind, at: when }) => {
        const made = rowAfter(at, { rollbackId, service, kind: kind as 'confirmed', at: when, data: { forged: true } });
        at = cursorAt(made);
        return made;
      });
      const forged = [...rows.slice(0, k), ...anew];
      expect(verifyChain(forged)).toMatchObject({ intact: true });
      expect(verifyChain(forged, anchorOf(rows))).toMatchObject({ intact: false, fault: 'changed' });
    }));
  });

  it('names a chain that is gone as a whole, and a seal that was cut off', () => {
    fc.assert(fc.property(chain, (rows) => {
      expect(verifyChain([], anchorOf(rows))).toMatchObject({ intact: false, fault: 'truncated', seq: 0 });
      expect(verifyChain(rows.slice(0, -1), anchorOf(rows))).toMatchObject({ intact: false, fault: 'truncated', seq: rows.length - 1 });
      expect(verifyChain(rows.slice(0, -1))).toMatchObject({ isSealed: false });
    }));
  });

  it('shows by the anchor that everything was rewritten', () => {
    fc.assert(fc.property(chain, (rows) => {
      const rewritten = chainOf(rows.map(() => ({ rewritten: true })));
      expect(verifyChain(rewritten)).toMatchObject({ intact: true });
      expect(verifyChain(rewritten, anchorOf(rows))).toMatchObject({ intact: false, fault: 'changed' });
    }));
  });
});

describe('canonical JSON', () => {
  it('is one text for one value, whatever the order of the keys', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(shuffled(value) as Json)).toBe(text);
    }));
  });

  it('agrees with the examples of RFC 8785', () => {
    const value = { numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001], string: '€$\u000F\nA\'B"\\\\"/', literals: [null, true, false] };
    expect(canonicalJson(value)).toBe('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
    expect(canonicalJson({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }))
      .toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
    expect(canonicalJson(-0)).toBe('0');
  });

  it('refuses what JSON cannot hold', () => {
    for (const value of [NaN, Infinity, [undefined], '\uD800', { '\uDC00': 1 }]) expect(() => canonicalJson(value as Json)).toThrow(TypeError);
  });
});

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).toReversed().map(([key, member]) => [key, shuffled(member)]));
}
